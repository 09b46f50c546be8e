"""What is said of files with several frames, volumes or channels; options that touch no file are refused."""

from __future__ import annotations

import pytest

from headtohead.core.errors import NoEffectError
from headtohead.core.records import Sample
from headtohead.data.frame_notes import frame_notes
from headtohead.data.listing.ingest import IngestedFile
from headtohead.data.options import LoadOptions


def part(
    kind: str, n_frames: int = 1, used: int = 1, n_volumes: int = 1, n_channels: int = 0
) -> IngestedFile:
    samples = (Sample.model_construct(id="a", path="a"),) * used
    return IngestedFile(samples, (), kind, n_frames, n_volumes, n_channels)


PLAIN = [part("PNG"), part("JPEG")]
VOLUME = part("NIFTI", n_frames=9)


def test_single_images_are_not_worth_a_word() -> None:
    assert frame_notes(PLAIN, LoadOptions()) == []
    assert frame_notes(PLAIN, LoadOptions(pages="first")) == []  # what is done anyway may be asked for


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (LoadOptions(slices="middle"), "slices='middle' has no effect: there are no volumes. Leave it out."),
        (LoadOptions(pages="all"), "pages='all' has no effect: no file has several pages. Leave it out."),
        (LoadOptions(pages=0), "pages=0 has no effect: no file has several pages. Leave it out."),
        (LoadOptions(volume=0), "volume=0 has no effect: no file holds several volumes. Leave it out."),
        (
            LoadOptions(channels=(0,)),
            "channels has no effect: no TIFF or array with channels to choose from is among the files. Leave it out.",
        ),
    ],
)
def test_an_option_that_touches_no_file_is_refused(options: LoadOptions, sentence: str) -> None:
    with pytest.raises(NoEffectError) as error:
        frame_notes(PLAIN, options)
    assert str(error.value) == sentence


def test_volumes_and_pages_are_counted_apart() -> None:
    parts = [VOLUME, part("NRRD", n_frames=11, used=3), part("TIFF", n_frames=4, used=4), *PLAIN]
    assert frame_notes(parts, LoadOptions(pages="all", slices="count:3")) == [
        "2 volumes: 4 of 20 frames are samples ('count:3').",
        "1 files with several pages or frames: 4 of 4 frames are samples ('all').",
    ]
    assert frame_notes(parts[:2], LoadOptions()) == ["2 volumes: 4 of 20 frames are samples ('middle')."]
    with pytest.raises(NoEffectError, match="pages"):
        frame_notes([VOLUME], LoadOptions(pages="all"))
    with pytest.raises(NoEffectError, match="slices"):
        frame_notes([part("TIFF", n_frames=4)], LoadOptions(slices="all"))


def test_a_nifti_file_of_one_slice_is_a_volume_and_an_array_of_one_is_an_image() -> None:
    assert frame_notes([part("NIFTI")], LoadOptions(slices="all")) == [
        "1 volumes: 1 of 1 frames are samples ('all')."
    ]
    with pytest.raises(NoEffectError, match="slices"):
        frame_notes([part("NPY")], LoadOptions(slices="all"))


def test_which_volume_of_a_series_is_read() -> None:
    series = [part("NIFTI", n_volumes=5), part("NRRD", n_frames=2, n_volumes=3), part("NIFTI")]
    assert frame_notes(series, LoadOptions())[0] == (
        "2 files hold several volumes (4-D): volume 0 of each is read. To use another of up to 5: --volume N, from 0."
    )
    assert frame_notes(series[:1], LoadOptions(volume=2))[0] == (
        "1 file holds several volumes (4-D): volume 2 of each is read."
    )


def test_which_channels_are_read_of_how_many() -> None:
    parts = [part("TIFF", n_channels=7), part("TIFF", n_channels=5), part("NPY", n_channels=7), part("PNG")]
    assert frame_notes(parts, LoadOptions(channels=(4, 0, 2))) == [
        "Channels 4, 0, 2 of 5, 7 are read of 3 files."
    ]


def test_where_no_file_could_be_read_the_files_are_at_fault_and_not_the_option() -> None:
    assert "of  are read" not in "".join(
        frame_notes([part("TIFF", used=0, n_channels=3)], LoadOptions(channels=(1,)))
    )
