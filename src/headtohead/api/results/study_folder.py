"""The folder of a finished study: its files, its page and its audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import RunFolderError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LINES", "WIDTH", "StudyFolder", "wrapped"]

WIDTH = 80  # columns of a plain terminal, which `repr` keeps to
LINES = 15  # that `repr` keeps to


class StudyFolder:
    """A finished study of any kind.

    Args:
        path: the run folder.

    Raises:
        RunFolderError: there is no such folder.
    """

    page_name = "report.html"

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise RunFolderError(f"There is no run at {path}; expected the folder that a study wrote.")
        self.path = path

    def json(self, name: str) -> Any:
        """Return the content of one of the folder's JSON files.

        Args:
            name: file name, such as "audit.json".

        Raises:
            RunFolderError: the run has no such file.
        """
        from headtohead.core.run_folder import RunFolder

        if not (self.path / name).is_file():
            raise RunFolderError(f"{self.path} has no {name}; the run is not finished, or of another kind.")
        return RunFolder(self.path).json(name)

    def report(self, *, show: bool = False) -> Path:
        """Return the path of the run's page.

        Args:
            show: also open it in the browser.

        Raises:
            RunFolderError: the page was not written.
        """
        page = self.path / self.page_name
        if not page.is_file():
            raise RunFolderError(f"{self.path} has no {self.page_name}; the run is not finished.")
        if show:
            import webbrowser

            webbrowser.open(page.resolve().as_uri())
        return page

    @property
    def audit(self) -> pd.DataFrame:
        """The audit's findings, worst first: code, title, severity, outcome, message, advice, n_samples."""
        from headtohead.api.results.data_results import findings_frame

        try:
            return findings_frame(self.json("audit.json")["findings"])
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise RunFolderError(
                f"{self.path / 'audit.json'} holds no findings as headtohead writes them ({type(error).__name__}: "
                f"{error}). It is damaged, or was changed."
            ) from error


def wrapped(text: str) -> list[str]:
    """Return a text in lines of a plain terminal."""
    import textwrap

    return textwrap.wrap(text, WIDTH)
