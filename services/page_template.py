"""Pages of reports: one frame for all, one file with no network and no script, light and dark; texts are escaped."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template


@cache
def page(name: str) -> Template:
    """Return a page's template; it extends `report_page.template`, and what is put into it is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False, loader=FunctionLoader(_text)
    )
    return environment.get_template(name)


def _text(name: str) -> str:
    return files("services").joinpath(name).read_text(encoding="utf-8")
