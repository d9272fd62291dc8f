"""The template of the slides: the company's own, its layouts found by name, or ours."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from hub import ConfigError, MissingExtra, tr
from hub_papers.look import BLUE, GREEN, INK, LINE, RED, WHITE

HOW = 'pip install "pm-hub-papers"'
_TITLE = (
    "title slide",
    "diapositive de titre",
    "page de titre",
    "page de garde",
    "couverture",
    "cover",
    "titre",
)
_PAGE = ("title only", "titre seul", "titre uniquement", "titre seulement")
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


class Box(NamedTuple):
    """A place on a slide, in points from its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Return where it ends."""
        return self.top + self.height


class Template(NamedTuple):
    """An opened presentation without slides, its layouts, and where a page's content goes."""

    presentation: Any
    cover: Any
    page: Any
    body: Box


def opened(path: Path | None) -> Template:
    """Open the template at *path* (None: ours), without the slides that it has.

    Raises `ConfigError` where it is no PowerPoint file or has no layout with a title, `MissingExtra`.
    """
    try:
        import pptx
    except ImportError as exc:
        raise MissingExtra(tr("Slides need python-pptx: {how}.", how=HOW)) from exc
    if path is None:
        presentation = pptx.Presentation()
        _ours(presentation)
    else:
        presentation = _of_company(path)
        _empty(presentation)
    layouts = list(presentation.slide_layouts)
    titled = [one for one in layouts if _title_of(one) is not None]
    if not titled:
        raise ConfigError(
            tr("{path}: no layout of this template has a title; give one of them a title.", path=path)
        )
    page = _named(titled, _PAGE, "titleOnly") or min(titled, key=lambda one: len(one.placeholders))
    cover = _named(titled, _TITLE, "title") or page
    return Template(presentation, cover, page, _body(presentation, page))


def _of_company(path: Path) -> Any:
    import pptx

    try:
        return pptx.Presentation(io.BytesIO(_as_presentation(path.read_bytes())))
    except OSError as exc:
        raise ConfigError(
            tr("The template {path} cannot be read ({reason}).", path=path, reason=exc.strerror or exc)
        ) from exc
    except Exception as exc:  # a damaged file fails in ways nobody foresaw
        raise ConfigError(
            tr(
                "The template {path} is no PowerPoint file that can be read: save it again in PowerPoint "
                "as .pptx or .potx, without a password.",
                path=path,
            )
        ) from exc


def _as_presentation(data: bytes) -> bytes:
    """Return a template (.potx) as a presentation: they differ in one word."""
    place = "[Content_Types].xml"
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        types = old.read(place)
        if b"presentationml.template.main" not in types:
            return data
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for one in old.infolist():
                content = old.read(one.filename)
                if one.filename == place:
                    content = types.replace(
                        b"presentationml.template.main", b"presentationml.presentation.main"
                    )
                new.writestr(one.filename, content)
    return out.getvalue()


def _empty(presentation: Any) -> None:
    """Remove the slides of a template, and the sections that name them."""
    slides = presentation.slides._sldIdLst
    for one in list(slides):
        presentation.part.drop_rel(one.rId)
        slides.remove(one)
    for extension in presentation.element.findall(f"{_P}extLst"):
        presentation.element.remove(extension)


def _title_of(layout: Any) -> Any:
    """Return the placeholder of the title of *layout*, or None."""
    return next((one for one in layout.placeholders if one.placeholder_format.idx == 0), None)


def _named(layouts: list[Any], names: tuple[str, ...], kind: str) -> Any:
    """Return the layout with one of *names*, the first name first; else one of the format's *kind*."""
    called = {" ".join(one.name.split()).casefold(): one for one in reversed(layouts)}
    for name in names:
        if name in called:
            return called[name]
    return next((one for one in layouts if one._element.get("type") == kind), None)


def _body(presentation: Any, layout: Any) -> Box:
    """Return where the content of a page goes: below the title, above the footers, as wide as the title."""
    width, height = presentation.slide_width / 12700, presentation.slide_height / 12700
    title = _title_of(layout)
    left, top, wide, high = (
        float(one or 0) / 12700 for one in (title.left, title.top, title.width, title.height)
    )
    if not 0 <= left < width / 3 or wide < width / 2 or top + high > height / 2:
        left, top, wide, high = width * 0.04, 0.0, width * 0.92, height * 0.16
    footers = [
        one.top / 12700 for one in (*layout.placeholders, *layout.slide_master.placeholders)
        if one.placeholder_format.type in _footers() and (one.top or 0) / 12700 > height * 0.8
    ]  # fmt: skip
    bottom = min([*footers, height * 0.95])
    return Box(left, top + high + 6, wide, bottom - top - high - 12)


def _footers() -> set[Any]:
    from pptx.enum.shapes import PP_PLACEHOLDER

    return {PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE}


def title_size(layout: Any) -> float:
    """Return the size of the titles of *layout* in points: its own, else that of its master."""
    from pptx.oxml.ns import qn

    master = layout.slide_master
    style = master.element.find(qn("p:txStyles"))
    places = [
        _title_of(layout).element.txBody,
        next(
            (one.element.txBody for one in master.placeholders if one.element.ph.get("type") == "title"), None
        ),
        style.find(qn("p:titleStyle")) if style is not None else None,
    ]
    for place in (one for one in places if one is not None):
        for level in place.iter(qn("a:lvl1pPr")):
            run = level.find(qn("a:defRPr"))
            if run is not None and run.get("sz"):
                return int(run.get("sz")) / 100
    return 44.0


# ---------- ours ----------


def _ours(presentation: Any) -> None:
    """Make the library's own template ours: 16:9, our colours, title, footer and page number."""
    from pptx.util import Pt

    presentation.slide_width, presentation.slide_height = Pt(960), Pt(540)
    package = presentation.part.package
    for name in [one.rId for one in package._rels.values() if one.reltype.endswith("/thumbnail")]:
        package._rels.pop(name)  # a picture of somebody else's first slide
    master = presentation.slide_master
    for layout in list(presentation.slide_layouts):
        if layout.name not in {"Title Slide", "Title Only"}:
            presentation.slide_layouts.remove(layout)
    _theme(master)
    cover, page = presentation.slide_layouts
    for holder in (master, cover, page):
        for one in list(holder.placeholders):
            kind = one.element.ph.get("type")
            if kind == "dt":
                one.element.getparent().remove(one.element)
            elif kind == "ftr":
                _place(one, Box(36, 510, 700, 22))
            elif kind == "sldNum":
                _place(one, Box(824, 510, 100, 22))
            elif kind == "title":
                _place(one, Box(36, 18, 888, 48))
            elif kind == "ctrTitle":
                _place(one, Box(72, 160, 816, 120))
            elif kind == "subTitle":
                _place(one, Box(72, 292, 816, 60))
            elif kind == "body":
                _place(one, Box(36, 96, 888, 400))
    _styles(master)
    _decorate(master, cover)


def _place(shape: Any, box: Box) -> None:
    from pptx.util import Pt

    shape.left, shape.top, shape.width, shape.height = (Pt(one) for one in box)


def _theme(master: Any) -> None:
    from pptx.opc.constants import RELATIONSHIP_TYPE as RT
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import qn

    part = master.part.part_related_by(RT.THEME)
    root = parse_xml(part.blob)
    for font in root.iter(qn("a:latin")):
        font.set("typeface", "Arial")
    colours = {"dk2": BLUE, "accent1": BLUE, "accent2": RED, "accent3": GREEN, "accent4": "#8A5A00",
               "accent5": "#6A3D9A", "accent6": "#0B7A75"}  # fmt: skip
    for name, colour in colours.items():
        for one in root.iter(qn(f"a:{name}")):
            one[0].set("val", colour[1:])
    part._blob = _text_of(root)


def _text_of(root: Any) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _styles(master: Any) -> None:
    from pptx.oxml.ns import qn

    style = master.element.find(qn("p:txStyles")).find(qn("p:titleStyle"))
    level = style.find(qn("a:lvl1pPr"))
    level.set("algn", "l")
    run = level.find(qn("a:defRPr"))
    run.set("sz", "2400")
    run.set("b", "1")
    for fill in run.findall(qn("a:solidFill")):
        fill[0].getparent().replace(fill[0], _colour(BLUE))
    for one in master.placeholders:
        body = one.element.txBody.find(qn("a:bodyPr"))
        kind = one.element.ph.get("type")
        if kind == "title":
            body.set("anchor", "ctr")
        if kind in {"title", "ftr"}:
            body.set("lIns", "0")
        for default in one.element.iter(qn("a:defRPr")):
            if kind in {"ftr", "sldNum"}:
                default.set("sz", "1000")
                for fill in default.findall(qn("a:solidFill")):
                    fill.replace(fill[0], _colour(INK))
        for level in one.element.iter(qn("a:lvl1pPr")):
            if kind == "ftr":
                level.set("algn", "l")


def _colour(value: str) -> Any:
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    return parse_xml(f'<a:srgbClr {nsdecls("a")} val="{value[1:]}"/>')


def _decorate(master: Any, cover: Any) -> None:
    """Put a line under the titles, and the cover on a dark ground."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn

    tree = master.shapes._spTree
    tree.insert(2, parse_xml(
        f'<p:sp {nsdecls("p", "a")}><p:nvSpPr><p:cNvPr id="90" name="Line"/><p:cNvSpPr/>'
        f'<p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm><a:off x="{36 * 12700}" y="{68 * 12700}"/>'
        f'<a:ext cx="{888 * 12700}" cy="{int(1.5 * 12700)}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        f'<a:solidFill><a:srgbClr val="{LINE[1:]}"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>'
    ))  # fmt: skip
    content = cover.element.find(qn("p:cSld"))
    content.insert(0, parse_xml(
        f'<p:bg {nsdecls("p", "a")}><p:bgPr><a:solidFill><a:srgbClr val="{BLUE[1:]}"/></a:solidFill>'
        "<a:effectLst/></p:bgPr></p:bg>"
    ))  # fmt: skip
    cover.element.set("showMasterSp", "0")
    for one in list(cover.placeholders):
        kind = one.element.ph.get("type")
        if kind in {"ftr", "sldNum"}:
            one.element.getparent().remove(one.element)
            continue
        style = one.element.txBody.find(qn("a:lstStyle"))
        for child in list(style):
            style.remove(child)
        size, bold = ("4000", "1") if kind == "ctrTitle" else ("2000", "0")
        style.append(parse_xml(
            f'<a:lvl1pPr {nsdecls("a")} marL="0" indent="0" algn="l"><a:buNone/>'
            f'<a:defRPr sz="{size}" b="{bold}">'
            f'<a:solidFill><a:srgbClr val="{WHITE[1:]}"/></a:solidFill></a:defRPr></a:lvl1pPr>'
        ))  # fmt: skip
        body = one.element.txBody.find(qn("a:bodyPr"))
        body.set("anchor", "b" if kind == "ctrTitle" else "t")
        body.set("lIns", "0")
