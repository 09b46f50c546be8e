"""Items of STARD-AI in our own words, each with the part of a run that answers it.

Sources: Bossuyt et al. 2015, BMJ 351:h5527 (STARD 2015, whose numbers are used); Sounderajah et al. 2025, Nat Med
31:3283 (STARD-AI). A number with "+" is a topic that STARD-AI adds, placed at the item of STARD 2015 that it extends;
it is not the number that STARD-AI prints.
"""

from __future__ import annotations

from headtohead.evaluate.reporting.checklist_items import Item

__all__ = ["STARD_AI"]

STARD_AI = (
    Item("1", "Title names accuracy and AI", "kind", "Name the measure of accuracy in the title."),
    Item("2", "Structured abstract", "answer", "Follow STARD for Abstracts."),
    Item(
        "3", "Background and role of the index test", "", "Give the intended use and who acts on the result."
    ),
    Item("4", "Objectives and hypotheses", "aim", "Add the clinical hypothesis."),
    Item("5", "Prospective or retrospective", "", "Say whether the images were collected for this study."),
    Item("5+", "Ethical approval", "", "Name the board, and the consent or its waiver."),
    Item("6", "Eligibility of participants", "", "Say who was in and out before the files were made."),
    Item(
        "6+",
        "Eligibility of images",
        "excluded",
        "Say which images were left out before the files were made.",
    ),
    Item("7", "How participants were identified", "", "By symptoms, earlier results or a registry."),
    Item("8", "Setting, location and dates", "", "Give the centres and the first and last date."),
    Item("9", "Consecutive, random or convenience series", "", "Say which."),
    Item("9+", "Source of the data", "source", "Say how the data were collected and under which licence."),
    Item("10a", "Index test", "contenders", "Say what a user does with the output."),
    Item(
        "10a+", "Development of the index test", "training", "Say which data the pretraining used, if known."
    ),
    Item("10a++", "Version of the index test", "software", "Nothing more, if provenance.json is attached."),
    Item("10b", "Reference standard", "labels", "Say what makes a case positive, in detail to repeat it."),
    Item("10b+", "Annotation", "", "Give the readers' number, training and agreement."),
    Item("11", "Why this reference standard", "", "Say why it was chosen and where it errs."),
    Item("12a", "Cut-offs of the index test", "cutoffs", "Say at which threshold one would act and why."),
    Item(
        "12b", "Cut-offs of the reference standard", "", "Define positive for the reference, if it is graded."
    ),
    Item("13a", "Blinding of the index test", "blinding", "Add what the people who ran it knew."),
    Item("13b", "Blinding of the reference standard", "", "Say what the assessors knew of the index test."),
    Item("14", "Methods of estimating and comparing accuracy", "uncertainty", "Nothing more."),
    Item("14+", "Partition of the data", "split", "Nothing more, if all of the data went through this run."),
    Item("14++", "No overlap between the parts", "disjoint", "Say whether a group is a patient."),
    Item("15", "Indeterminate results", "indeterminate", "Say what an unsure result means in use."),
    Item("16", "Missing data", "missing", "Say how cases without label or image were treated."),
    Item("16+", "Preprocessing", "recipe", "Add acquisition and what was done before the files were made."),
    Item("17", "Variability of accuracy", "variance", "Say which analyses were planned beforehand."),
    Item("17+", "Algorithmic bias and fairness", "subgroups", "Say which groups of people were considered."),
    Item("18", "Intended sample size", "power", "Say how many cases were planned and why."),
    Item("19", "Flow of participants", "flow", "Draw the flow from the participants to these images."),
    Item(
        "20",
        "Baseline characteristics",
        "",
        "Give age, sex and clinical features, by part where they differ.",
    ),
    Item("21a", "Severity in those with the condition", "", "Give its distribution."),
    Item("21b", "Alternative diagnoses in those without", "", "Give their distribution."),
    Item("22", "Time between index test and reference", "", "Give the interval, and treatments in it."),
    Item("23", "Cross tabulation", "failures", "Print the matrix of the contender that would be used."),
    Item("24", "Accuracy with precision", "scores", "Nothing more."),
    Item("24+", "Errors", "failures", "Look at the cases most wrong and say what they share."),
    Item("24++", "Explainability", "maps", "Have a reader judge the maps."),
    Item(
        "24+++",
        "External evaluation",
        "external",
        "Test on images from another place, or say that none were.",
    ),
    Item("25", "Adverse events", "", "Of the index test and the reference standard, or say there were none."),
    Item("26", "Limits", "limits", "Add the limits that only you know."),
    Item("27", "Implications for practice", "", "Give the intended use and clinical role."),
    Item("28", "Registration", "", "Give it, or say there is none."),
    Item("29", "Full protocol", "protocol", "Say where it can be read."),
    Item("30", "Funding", "", "Name funders and their part."),
    Item("30+", "Commercial interests", "", "Name who owns or sells the index test."),
    Item("30++", "Data and code", "access", "Give the links."),
)
