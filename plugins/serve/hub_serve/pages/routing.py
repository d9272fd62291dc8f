"""Which address shows which page, in which language, and how a page becomes HTML."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

import hub
from hub import LANGS, FeedView, Lang, chart, day, listed, speaking, tr
from hub_serve.app import etag, place_of, reader_of, unchanged, view_of
from hub_serve.languages import accepted, first_known
from hub_serve.pages.asked import Asked, NotThere, Shelf, story_key, told
from hub_serve.pages.blocks import SYMBOLS, Cell, Page, word_of
from hub_serve.pages.connect import connect
from hub_serve.pages.dictionary import dictionary, one_table
from hub_serve.pages.entry import Entry
from hub_serve.pages.figures import figures, one_figure
from hub_serve.pages.flow import flow
from hub_serve.pages.load import load
from hub_serve.pages.moves import moved
from hub_serve.pages.oidc import OpenIdConnect
from hub_serve.pages.portfolio import portfolio
from hub_serve.pages.project import project
from hub_serve.pages.rows import rows_behind
from hub_serve.pages.service import service
from hub_serve.pages.sources import sources

LANG_COOKIE = "pm_hub_lang"
STORIES, PICTURES = 64, 400
_STATIC = {
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
_LOCALES: dict[str, Any] = {"fr": "fr-FR", "en": "en-GB"}
_FOR_EVER = "public, max-age=31536000, immutable"
_VARY = "cookie, accept-language, authorization"
Builder = Callable[[Asked, Request], Page]


class Pages:
    """The pages of one server, with what they told and drew already."""

    def __init__(self) -> None:
        """Read the templates and the files beside them."""
        self.stories, self.pictures = Shelf(STORIES), Shelf(PICTURES)
        room = files("hub_serve.pages")
        self.static = {name: (room / "static" / name).read_bytes() for name in _STATIC}
        self.html = jinja2.Environment(
            loader=jinja2.PackageLoader("hub_serve.pages"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self.html.globals |= {
            "tr": tr,
            "day": day,
            "symbols": SYMBOLS,
            "word_of": word_of,
            "version": hashlib.sha256(b"".join(self.static.values())).hexdigest()[:12],
        }
        self.html.filters["coded"] = _coded
        self.entry = Entry(self)
        self.company = OpenIdConnect(self.entry)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of all pages."""
        pages: dict[str, Builder] = {
            "/": lambda asked, _: portfolio(asked),
            "/projects/{code:path}": lambda asked, request: project(asked, request.path_params["code"]),
            "/moves": lambda asked, _: moved(asked, lambda cut: self.told(asked.view, asked, cut)),
            "/load": lambda asked, _: load(asked),
            "/flow": lambda asked, _: flow(asked),
            "/service": lambda asked, _: service(asked),
            "/figures": lambda asked, _: figures(asked),
            "/figures/{kpi}": lambda asked, request: one_figure(asked, request.path_params["kpi"]),
            "/figures/{kpi}/rows": lambda asked, request: rows_behind(asked, request.path_params["kpi"]),
            "/sources": lambda asked, _: sources(asked),
            "/dictionary": lambda asked, _: dictionary(asked),
            "/dictionary/{table}": lambda asked, request: one_table(asked, request.path_params["table"]),
            "/connect": lambda asked, _: connect(asked),
        }
        return [
            *(Route(path, self.shown(builder)) for path, builder in pages.items()),
            Route("/charts/{name}.svg", self.picture),
            Route("/static/{name}", self.file),
            *self.entry.routes(),
            *self.company.routes(),
        ]

    def told(self, view: FeedView, asked: Asked, cut: str | None) -> Any:
        """Return the story of another cut to the same reader."""
        return told(self.stories, view, asked.reader, cut, asked.lang)

    def asked(self, request: Request, view: FeedView, lang: Lang) -> Asked:
        """Return what *request* asks. Raises `NotThere` for a cut that is none."""
        reader = reader_of(request)
        cuts = listed(view, "cuts")
        cut = request.query_params.get("cut") or None
        if cut is not None and cut not in {one["label"] for one in cuts}:
            raise NotThere
        if any(one["label"] == cut and one["cut_key"] == 0 for one in cuts):
            cut = None
        story = told(self.stories, view, reader, cut, lang)
        view.connection.execute("SET TimeZone = 'UTC'")
        return Asked(
            view=view,
            reader=reader,
            lang=lang,
            story=story,
            cuts=cuts,
            query=dict(request.query_params),
            root=place_of(request).root,
        )

    def shown(self, builder: Builder) -> Callable[[Request], Response]:
        """Return the handler of the page that *builder* makes."""

        def handler(request: Request) -> Response:
            with view_of(request) as view:
                lang = language_of(request, view.lang)
                tag = etag(request, view.feed_id, lang, hub.__version__)
                if (same := unchanged(request, tag)) is not None:
                    return same
                with speaking(lang):
                    try:
                        asked = self.asked(request, view, lang)
                        page = builder(asked, request)
                    except NotThere:
                        return self.not_there(request, lang)
                    answer = self.page(request, asked, page)
            answer.headers["etag"] = tag
            return answer

        return handler

    def page(self, request: Request, asked: Asked, page: Page) -> Response:
        """Return *page* as HTML, with the menu, the cuts to choose and what is not shown."""
        text = self.html.get_template("page.html").render(
            page=page,
            asked=asked,
            lang=asked.lang,
            menu=menu(asked),
            limits=asked.limits(),
            others=in_other_languages(request),
            here=request.url.path,
            carried=_carried(request),
            built=_built(asked.view.manifest),
            levels=levels(),
        )
        return answered(request, text, asked.lang)

    def bare(
        self, request: Request, template: str, lang: Lang, *, status: int = 200, **more: Any
    ) -> Response:
        """Return a page without a feed: to sign in, or an error."""
        text = self.html.get_template(template).render(
            lang=lang, others=in_other_languages(request), here=request.url.path, **more
        )
        return answered(request, text, lang, status)

    def not_there(self, request: Request, lang: Lang) -> Response:
        """Say that something is not there, or not for the one who asks."""
        return self.bare(
            request,
            "plain.html",
            lang,
            status=404,
            title=tr("Not here"),
            texts=[tr("There is no such page, project, figure or cut, or it is not for you.")],
            links=[(tr("Portfolio"), "/")],
        )

    def unknown(self, request: Request, _: Exception) -> Response:
        """Answer an address that is none."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(tr("There is nothing at this address."), 404)
        lang = language_of(request, "en")
        with speaking(lang):
            return self.not_there(request, lang)

    def picture(self, request: Request) -> Response:
        """Return a picture of the story as SVG; ``?project=`` is one project's."""
        name, code = request.path_params["name"], request.query_params.get("project")
        with view_of(request) as view:
            lang = language_of(request, view.lang)
            tag = etag(request, view.feed_id, lang, hub.__version__)
            if (same := unchanged(request, tag)) is not None:
                return same
            try:
                asked = self.asked(request, view, lang)
            except NotThere:
                return PlainTextResponse("", 404)
            story = asked.story
            if code is not None:
                found = next((one for one in story.projects if one.code == code), None)
                if found is None:
                    return PlainTextResponse("", 404)
                story = story.of(found.key)
            key = (*story_key(view, asked.reader, asked.cut, lang), name, code)
            drawn: str | None = self.pictures.get(key, lambda: _drawn(name, story))
        if drawn is None:
            return PlainTextResponse("", 404)
        return Response(drawn, media_type="image/svg+xml", headers={"etag": tag, "vary": _VARY})

    def file(self, request: Request) -> Response:
        """Return a file that every page needs; it may be kept for ever, under the version in its address."""
        name = request.path_params["name"]
        if name not in self.static:
            return PlainTextResponse("", 404)
        kept = _FOR_EVER if request.query_params.get("v") == self.html.globals["version"] else "no-cache"
        return Response(self.static[name], headers={"cache-control": kept, "content-type": _STATIC[name]})


def _coded(text: str) -> Markup:
    """Return *text* as HTML, what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just now


def _drawn(name: str, story: Any) -> str | None:
    import vl_convert

    try:
        spec = chart(name, story)
    except KeyError:
        return None
    if spec is None:
        return None
    spec = {
        key: value for key, value in spec.items() if key != "title"
    }  # the page says it beside the picture
    where = _LOCALES[story.lang]
    return str(vl_convert.vegalite_to_svg(json.dumps(spec), format_locale=where, time_format_locale=where))


def language_of(request: Request, otherwise: str) -> Lang:
    """Return the language to answer in: asked for, chosen before, the browser's, or *otherwise*."""
    wanted = [
        request.query_params.get("lang", ""),
        request.cookies.get(LANG_COOKIE, ""),
        *accepted(request.headers.get("accept-language", "")),
        otherwise,
    ]
    return first_known(wanted) or "en"


def answered(request: Request, text: str, lang: Lang, status: int = 200) -> Response:
    """Return HTML in *lang*, and keep the language where it was asked for."""
    answer = Response(text, status, media_type="text/html", headers={"content-language": lang, "vary": _VARY})
    if request.query_params.get("lang") in LANGS:
        answer.set_cookie(
            LANG_COOKIE,
            lang,
            max_age=31_536_000,
            httponly=True,
            samesite="lax",
            secure=place_of(request).speaks_tls,
        )
    return answer


def menu(asked: Asked) -> list[tuple[str, str, str]]:
    """Return the pages of the menu: text, address, and the place that marks it."""
    names = (
        ("/", tr("Portfolio")),
        ("/moves", tr("What moved")),
        ("/load", tr("Load")),
        ("/flow", tr("Flow")),
        ("/service", tr("RUN and SLA")),
        ("/figures", tr("Figures")),
        ("/sources", tr("Sources")),
        ("/dictionary", tr("Dictionary")),
        ("/connect", tr("Connect")),
    )
    return [(text, asked.to(place), place) for place, text in names]


def levels() -> dict[str, str]:
    """Return what the levels of detail are called."""
    return {
        "project": tr("projects"),
        "team-week": tr("teams and weeks"),
        "pseudonym-week": tr("pseudonyms and weeks"),
        "nominative-line": tr("persons and lines"),
    }


def in_other_languages(request: Request) -> list[tuple[str, str, str]]:
    """Return code, name and address of this page in each language; of the form to sign in wherever it is."""
    shown = {"to"} if request.url.path.startswith(("/signin", "/oidc")) else None
    asked = [one for one in parse_qsl(request.url.query) if one[0] not in {"lang", "token", "refused"}]
    kept = [one for one in asked if shown is None or one[0] in shown]
    path = "" if shown is None else "/signin"
    names = {"en": "English", "fr": "Français"}
    return [(one, names[one], f"{path}?{urlencode([*kept, ('lang', one)])}") for one in LANGS]


def _carried(request: Request) -> list[tuple[str, str]]:
    """Return what a form that chooses another cut keeps of the question."""
    return [
        one for one in parse_qsl(request.url.query) if one[0] in {"project", "weeks", "program", "weather"}
    ]


def _built(manifest: dict[str, Any]) -> Cell:
    stamp = str(manifest["moment"])
    return Cell(text=f"{day(stamp)} {stamp[11:16]} UTC", note=str(manifest["feed_id"]))
