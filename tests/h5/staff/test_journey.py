"""A clerk runs a campaign from the first sign-in to the sheet, in a browser without scripts."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from python_calamine import CalamineWorkbook

from tests.factories.campaigns import World
from tests.h5.staff.conftest import open_context, sign_in


def create_campaign(page: Page) -> None:
    page.get_by_role("link", name="新建测评").click()
    page.get_by_label("名称").fill("2027年度测评")
    page.get_by_label("党员", exact=True).fill("1")
    page.get_by_label("结束时间").fill("2026-11-30T18:00")
    page.get_by_role("button", name="保存草稿").click()


def launch(page: Page) -> None:
    page.get_by_role("link", name="核对并启动").click()
    expect(page.get_by_text("还没有生成入口。")).to_be_visible()
    page.get_by_role("button", name="确认启动").click()
    expect(page.get_by_role("status")).to_contain_text("计分办法已经锁定")


def make_entrances(page: Page) -> None:
    page.get_by_role("link", name="入口与海报").click()
    page.get_by_text("公开扫码：贴在公告栏").click()
    form = page.locator("form:has([name=place])")
    form.get_by_label("张贴处").fill("村口")
    form.get_by_role("button", name="生成").click()
    expect(page.get_by_role("status")).to_contain_text("入口已经生成")


def test_from_the_door_to_the_sheet(browser: Browser, town: World, address: str, tmp_path: Path) -> None:
    with open_context(browser, address, width=360, has_scripts=False) as context:
        page = context.new_page()
        page.goto(f"/staff/campaigns/{town.campaign_id}/scores")
        sign_in(page, password="wrong")
        expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
        sign_in(page)
        expect(page.get_by_role("row", name="第1村")).to_contain_text("91.25")
        with page.expect_download() as sheet:
            page.get_by_role("link", name="下载汇总表").click()
        sheet.value.save_as(tmp_path / "sheet.xlsx")
        assert CalamineWorkbook.from_path(tmp_path / "sheet.xlsx").sheet_names == ["汇总表"]
        page.get_by_role("link", name="第1村").click()
        expect(page.get_by_text("保留两位小数：91.25 分。")).to_be_visible()

        page.get_by_role("navigation", name="栏目").get_by_role("link", name="测评").click()
        create_campaign(page)
        launch(page)
        make_entrances(page)
        with page.expect_download() as poster:
            page.get_by_role("button", name="下载海报").first.click()
        poster.value.save_as(tmp_path / "poster.pdf")
        assert (tmp_path / "poster.pdf").read_bytes().startswith(b"%PDF-")

        page.get_by_role("link", name="计分办法").click()
        page.get_by_role("link", name="结束测评").click()
        page.get_by_role("button", name="确认结束").click()
        expect(page.get_by_role("status")).to_contain_text("测评已经结束")
        page.locator("summary").first.click()
        page.get_by_role("button", name="退出登录").click()
        expect(page.get_by_role("button", name="登录")).to_be_visible()
