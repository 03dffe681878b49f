"""The status page in a real browser."""

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.browser import Browser
from house.waiting import wait_until


@pytest.mark.slow
def test_a_leader_change_appears_without_reload(proxy, sim, tmp_path):
    with Browser(tmp_path) as browser:
        browser.open(proxy.admin + "/")
        old = proxy.leader_by_status()
        wait_until(lambda: old in browser.text(), 20, "the page to name the leader")
        for url in sim.urls:
            assert url.split("//")[1] in browser.text()
        before = browser.text()
        browser.run("window.never_reloaded = true")

        sim.step_down(sim.leader())
        new = wait_until(lambda: proxy.leader_by_status() not in (None, old) and proxy.leader_by_status(), 30,
                         "another leader")

        def shows_the_new_leader():
            return browser.run("return document.getElementById('leader-name').innerText") == new

        wait_until(shows_the_new_leader, 20, f"the page to name {new} as leader; it said:\n{before}")
        assert browser.run("return window.never_reloaded === true"), "the page was loaded again"


@pytest.mark.slow
def test_a_pause_is_told_with_its_end(sim, tmp_path, command):
    socket = tmp_path / "control.sock"
    words = [*LOOPBACK, "--control", socket, *sim.urls]
    with Bellwether(tmp_path, words, env={"BELLWETHER_CONTROL": ""}) as proxy, Browser(tmp_path) as browser:
        browser.open(proxy.wait_ready().admin + "/")
        assert command("pause", "--control", socket).returncode == 0
        wait_until(lambda: "paused by the operator" in browser.text(), 20, "the page to tell of the pause")
        assert "Paused until" in browser.text()
        assert command("resume", "--control", socket).returncode == 0
        wait_until(lambda: "aused" not in browser.text(), 20, "the page to forget it")


@pytest.mark.slow
def test_the_page_says_why_nobody_leads_and_fits_a_phone(tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as lonely, Browser(tmp_path) as browser:
        browser.open(lonely.admin + "/")
        wait_until(lambda: "connection refused" in browser.text(), 20, "the cause of the silence")
        assert "the only node does not answer" in browser.text()
        assert browser.run("return [...document.querySelectorAll('#nodes td')].every(cell => cell.dataset.label)")


def test_without_scripts_the_page_shows_leader_and_nodes(proxy):
    html = proxy.get("/").text()
    fragment = html[html.index("<noscript>"):html.index("</noscript>")]
    assert proxy.leader_by_status() in fragment
    assert fragment.count("<tr>") == 4
    assert "standby" in fragment
