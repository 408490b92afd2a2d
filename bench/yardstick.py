"""The yardstick: what plain Flask costs for one insert and for one page, without any of our own code."""

import json
import os
import secrets

from flask import Flask, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from bench.scale import YARDSTICK_THREADS

ANSWERS = 12
_FILLER = "本次测评不记名，您的填写只用于统计。"

app = Flask(__name__)
pool = ConnectionPool(
    os.environ["YARDSTICK_DATABASE"], min_size=YARDSTICK_THREADS, max_size=YARDSTICK_THREADS, open=True
)
questions = json.loads(os.environ.get("YARDSTICK_QUESTIONS", "[]"))


@app.post("/ballots")
def insert_ballot() -> ResponseReturnValue:
    """Parse the ballot's JSON and insert one row, with one commit."""
    answers = request.get_json()["answers"]
    if len(answers) != ANSWERS:
        abort(422)
    with pool.connection() as connection:
        connection.execute("INSERT INTO plain_ballot (answers) VALUES (%s)", [Jsonb(answers)])
    return jsonify(receipt=secrets.token_hex(8)), 201


@app.get("/page")
def show_page() -> str:
    """Render a form with the same questions, filled up to the size of our page."""
    return render_template("page.html", title="党员群众满意度测评表", questions=questions, filler=filler)


@app.get("/flat")
def show_flat_page() -> str:
    """Render the same number of bytes without a loop: the least that a template can cost."""
    return render_template("flat.html", title="党员群众满意度测评表", body=flat_body)


def _fill(length: int) -> str:
    """Return a text of so many bytes."""
    return (_FILLER * (length // len(_FILLER) + 1)).encode()[:length].decode(errors="ignore")


def _measure(page: str) -> int:
    return len(page.encode())


_BYTES = int(os.environ.get("YARDSTICK_PAGE_BYTES", "0"))
filler = flat_body = ""
with app.test_request_context():
    filler = _fill(max(_BYTES - _measure(show_page()), 0))
    flat_body = _fill(max(_BYTES - _measure(show_flat_page()), 0))
