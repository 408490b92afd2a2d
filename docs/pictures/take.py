"""Take the pictures of the README anew, at a phone's size, from a fresh demonstration in Chromium.

    .venv/bin/python docs/pictures/take.py

The demonstration is loaded into a temporary folder and served on a free port for the time being.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("survey-service")
WIDTH, HEIGHT, SHARPNESS = 360, 760, 1.5


@contextmanager
def demonstration(folder: str) -> Iterator[str]:
    """Serve a fresh demonstration, and give what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"DATA_DIR": folder, "PYTHONUNBUFFERED": "1"}
    command = [str(PROGRAM), "demo", "--host", "127.0.0.1", "--port", port]
    with subprocess.Popen(  # noqa: S603  The command is our own.
        command, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        printed = ""
        while "/s/" not in printed:
            printed += server.stdout.readline()
        yield printed
        server.terminate()
        server.stdout.read()


def shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


def vote(page: Page, address: str) -> None:
    """Fill in the form by thumb, and show the form and the receipt."""
    page.goto(address)
    shoot(page, "ballot")
    for choices in page.locator("fieldset").all():
        choices.locator("label").first.click()
    page.locator("fieldset").nth(1).scroll_into_view_if_needed()
    page.locator("fieldset").first.evaluate("element => element.scrollIntoView()")
    shoot(page, "questions")
    page.locator("textarea").last.fill("村口的路灯坏了，希望早点修好。")
    page.locator("form[method=post] [type=submit]").last.click()
    page.wait_for_url("**/r/*")
    shoot(page, "receipt")


def look_at_scores(page: Page, site: str, password: str) -> None:
    """Sign in at the town office, and show the turnout, the scores and how one came about."""
    page.goto(f"{site}/staff")
    page.locator("[name=username]").fill("town")
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").last.click()
    for name, path in (("progress", ""), ("scores", "/scores"), ("score", "/scores/445122109212")):
        page.goto(f"{site}/staff/campaigns/1{path}")
        shoot(page, name)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        demonstration(folder) as printed,
        sync_playwright() as playwright,
    ):
        address = re.findall(r"http\S+/s/\w+", printed)[0]
        password = re.findall(r"town +(\S+)", printed)[0]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        phone = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=SHARPNESS,
            locale="zh-CN",
            has_touch=True,
        )
        page = phone.new_page()
        vote(page, address)
        look_at_scores(page, address.rpartition("/s/")[0], password)
        browser.close()


if __name__ == "__main__":
    main()
