"""Items of CLAIM 2024 and TRIPOD+AI in our own words, each with the part of a run that answers it.

Sources: Tejani et al. 2024, Radiol Artif Intell 6:e240300 (CLAIM, 44 items); Collins et al. 2024, BMJ
385:e078378 (TRIPOD+AI, 27 items). `key` names the filler in `reporting_checklist`; items without one can only be
written by the author, and `ask` says what to add.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CLAIM_2024", "TRIPOD_AI", "Item"]


class Item(NamedTuple):
    """One item of a reporting checklist."""

    number: str
    topic: str
    key: str
    ask: str


CLAIM_2024 = (
    Item("1", "Title names the kind of AI", "kind", "Put the technique into the title."),
    Item("2", "Structured abstract", "answer", "Write the abstract around this sentence."),
    Item(
        "3", "Background and clinical role", "", "Say which decision the model is to support, and for whom."
    ),
    Item("4", "Aims and hypotheses", "aim", "Add the clinical aim behind the comparison."),
    Item("5", "Prospective or retrospective", "", "Say whether the images were collected for this study."),
    Item("6", "Study goal", "goal", "Add how far this is from use."),
    Item("7", "Data sources", "source", "Name sites, dates, scanner makers and the licence."),
    Item("8", "Eligibility of cases", "excluded", "Say who was in and out before the files were made."),
    Item("9", "Preprocessing", "recipe", "Add what was done before the files were made."),
    Item("10", "Selection of data subsets", "subset", "Say how slices or frames were picked."),
    Item("11", "De-identification", "", "Say how the images were de-identified and by whom."),
    Item("12", "Missing data", "missing", "Say which cases had no label or no image."),
    Item(
        "13", "Image acquisition protocol", "", "Give modality, sequence, contrast, field strength or dose."
    ),
    Item("14", "Reference standard", "labels", "Say what makes a case positive, in detail to repeat it."),
    Item("15", "Why this reference standard", "", "Say why it was chosen and where it errs."),
    Item("16", "Who set the reference standard", "", "Give readers' number, training and years."),
    Item(
        "17",
        "How the test cases were labelled",
        "",
        "Say whether test cases were read as training cases were.",
    ),
    Item("18", "Reader variability", "", "Give agreement within and between readers."),
    Item("19", "How data were split", "split", "Nothing more, if all of the data went through this run."),
    Item("20", "Level at which parts are disjoint", "disjoint", "Say whether a group is a patient."),
    Item("21", "Intended sample size", "power", "Say how many cases were planned and why."),
    Item("22", "Model", "contenders", "Add the reason for the choice of these models."),
    Item("23", "Software and versions", "software", "Nothing more, if provenance.json is attached."),
    Item("24", "Initial weights", "weights", "Nothing more, if provenance.json is attached."),
    Item("25", "Training", "training", "Nothing more, if study.toml and learning.parquet are attached."),
    Item("26", "Choice of the final model", "choice", "Say which model would be used."),
    Item("27", "Ensembles", "ensemble", "Nothing more."),
    Item("28", "Metrics", "metrics", "Say why this primary metric fits the decision."),
    Item("29", "Significance and uncertainty", "uncertainty", "Nothing more."),
    Item("30", "Robustness", "robustness", "Add runs with other seeds, recipes or scanners."),
    Item("31", "Explainability", "maps", "Have a reader judge the maps."),
    Item("32", "Internal evaluation", "internal", "Nothing more."),
    Item("33", "External testing", "external", "Test on images from another place, or say that none were."),
    Item("34", "Trial registration", "", "Give the registration, or say there is none."),
    Item("35", "Flow of cases", "flow", "Draw the flow diagram from these counts."),
    Item("36", "Demographic and clinical features", "subgroups", "Give age, sex and severity for each part."),
    Item("37", "Performance against the reference standard", "scores", "Nothing more."),
    Item("38", "Precision of the estimates", "intervals", "Nothing more."),
    Item("39", "Failures", "failures", "Look at the cases most wrong and say what they share."),
    Item("40", "Limits of the study", "limits", "Add the limits that only you know."),
    Item("41", "Meaning for practice", "", "Say what changes for a patient, and what does not."),
    Item("42", "Full protocol", "protocol", "Say where the protocol can be read."),
    Item("43", "Software, model and data access", "access", "Give the links."),
    Item("44", "Funding", "", "Name funders and their part."),
)

TRIPOD_AI = (
    Item("1", "Title", "kind", "Name population and outcome in the title."),
    Item("2", "Abstract", "answer", "Follow TRIPOD+AI for Abstracts."),
    Item("3a", "Health context", "", "Give the context, the reason for a model, and models that exist."),
    Item("3b", "Target population and users", "", "Say for whom and by whom, and where in the care pathway."),
    Item("3c", "Known inequalities", "", "Name known differences in health between groups of people."),
    Item("4", "Objectives", "aim", "Say whether this develops or evaluates a model, or both."),
    Item("5a", "Data sources", "source", "Give sources for training and testing and how far they represent."),
    Item("5b", "Dates", "", "Give first and last date of the cases."),
    Item("6a", "Setting", "", "Give number, kind and place of the centres."),
    Item("6b", "Eligibility", "excluded", "Say who was in and out before the files were made."),
    Item("6c", "Treatments", "", "Say what treatment was given before imaging."),
    Item("7", "Data preparation", "recipe", "Say whether it was the same for all groups of people."),
    Item("8a", "Outcome", "labels", "Define the outcome and when and how it was assessed."),
    Item("8b", "Assessors of the outcome", "", "Give their qualification if it took judgement."),
    Item("8c", "Blinding of the outcome", "", "Say what was done to blind the assessors."),
    Item("9a", "Choice of predictors", "inputs", "Say why images alone."),
    Item("9b", "Definition of predictors", "inputs", "Give the acquisition."),
    Item(
        "9c",
        "Assessors of predictors",
        "",
        "Not applicable where the model reads the images itself; say so.",
    ),
    Item("10", "Study size", "power", "Say how the size came about."),
    Item("11", "Missing data", "missing", "Say how cases without label or image were treated."),
    Item("12a", "Use of data", "split", "Nothing more."),
    Item("12b", "Handling of predictors", "recipe", "Nothing more."),
    Item(
        "12c", "Model building", "training", "Nothing more, if study.toml and learning.parquet are attached."
    ),
    Item(
        "12d", "Heterogeneity between clusters", "variance", "Give results by centre if there were several."
    ),
    Item("12e", "Performance measures", "metrics", "Say why they fit the decision."),
    Item("12f", "Model updating", "recalibration", "Say whether a recalibrated model would be used."),
    Item("12g", "How predictions were made", "predictions", "Say where the model is available."),
    Item("13", "Class imbalance", "imbalance", "Say whether probabilities were re-based."),
    Item("14", "Fairness", "subgroups", "Say which groups of people were considered."),
    Item("15", "Model output", "output", "Say at which threshold one would act and why."),
    Item("16", "Training against evaluation data", "internal", "Say how a place of use would differ."),
    Item("17", "Ethical approval", "", "Name the board and whether consent was needed."),
    Item("18a", "Funding", "", "Name funders and their part."),
    Item("18b", "Conflicts of interest", "", "Declare them."),
    Item("18c", "Protocol", "protocol", "Say where it can be read."),
    Item("18d", "Registration", "", "Give it, or say there is none."),
    Item("18e", "Data sharing", "access", "Say how the data can be obtained."),
    Item("18f", "Code sharing", "access", "Say how the code can be obtained."),
    Item("19", "Patient and public involvement", "", "Say how, or that there was none."),
    Item("20a", "Flow of participants", "flow", "Draw the flow diagram from these counts."),
    Item("20b", "Characteristics", "subgroups", "Give age, sex, severity and missing values."),
    Item("20c", "Development against evaluation data", "internal", "Compare the two."),
    Item("21", "Numbers in each analysis", "flow", "Nothing more."),
    Item("22", "Full model", "access", "Make the model available."),
    Item("23a", "Performance with intervals", "scores", "Nothing more."),
    Item("23b", "Heterogeneity of performance", "variance", "Give results by centre."),
    Item("24", "Results of updating", "recalibration", "Nothing more."),
    Item("25", "Interpretation", "answer", "Set it beside earlier studies, fairness included."),
    Item("26", "Limits", "limits", "Add the limits that only you know."),
    Item("27a", "Poor or missing input", "guard", "Say what happens with a poor image."),
    Item("27b", "Interaction with users", "", "Say what skill a user needs."),
    Item("27c", "Next steps", "", "Say what research comes next."),
)
