"""Pages of coloured text: one HTML file without other files, which any browser shows."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from zoo.system import durable

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; }}
pre {{ font-size: 15px; line-height: 1.5; white-space: pre-wrap; }}
.at {{ outline: 2px solid #c44e52; }}
</style>
<h1>{title}</h1>
<p>{hint}</p>
<div id="panels"></div>
<script>
const panels = {panels};
function colour(value) {{
  const strength = Math.min(1, Math.abs(value));
  return value < 0 ? `rgba(221, 132, 82, ${{strength}})` : `rgba(84, 39, 136, ${{strength}})`;
}}
for (const [name, panel] of Object.entries(panels)) {{
  const heading = document.createElement("h2"), text = document.createElement("pre");
  heading.textContent = name;
  const spans = panel.tokens.map((token) => {{
    const span = document.createElement("span");
    span.textContent = token === "\\n" ? "\\u21b5\\n" : token;
    text.append(span, panel.space);
    return span;
  }});
  function show(row) {{
    spans.forEach((span, place) => {{
      span.style.background = colour(panel.rows[row][place] || 0);
      span.classList.toggle("at", !panel.names.length && place === row);
    }});
  }}
  document.getElementById("panels").append(heading);
  if (panel.names.length) {{
    const menu = document.createElement("select");
    panel.names.forEach((each) => menu.add(new Option(each)));
    menu.onchange = () => show(menu.selectedIndex);
    document.getElementById("panels").append(menu);
  }} else {{
    spans.forEach((span, place) => {{
      span.onmouseenter = () => place < panel.rows.length && show(place);
    }});
  }}
  document.getElementById("panels").append(text);
  show(panel.names.length ? 0 : panel.rows.length - 1);
}}
</script>
</html>
"""


class Panel(NamedTuple):
    """A text and values between -1 and 1 that colour it.

    Attributes:
        tokens: The text.
        rows: Values (R, T), a row for each way to colour it.
        names: The rows' names, for a menu; without any the reader points at the token whose row is
            shown.
        space: What stands between tokens.
    """

    tokens: Sequence[str]
    rows: Sequence[Sequence[float]]
    names: Sequence[str] = ()
    space: str = ""


def write(path: Path, title: str, hint: str, panels: Mapping[str, Panel]) -> None:
    """Writes a page with a panel for each model."""
    durable.make_folder(path.parent)
    content = json.dumps({name: panel._asdict() for name, panel in panels.items()})
    content = content.replace("<", "\\u003c")  # no token ends the script
    text = PAGE.format(title=html.escape(title), hint=html.escape(hint), panels=content)
    durable.write_text(path, text)
