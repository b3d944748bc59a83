from tests.test_browser import *  # noqa
import httpx
def test_shot(page, serve):
    url=serve().url
    for _ in range(22): httpx.post(f"{url}/query", json={"query": "Who built the Aldermoor lighthouse?"}, trust_env=False)
    for w in (360,1000):
        for scheme in ("light","dark"):
            page.set_viewport_size({"width": w, "height": 740}); page.emulate_media(color_scheme=scheme)
            page.goto(url+"/?q=Who+built+the+Aldermoor+lighthouse%3F"); expect(page.locator("body[data-state=done]")).to_be_visible()
            page.click("#standing summary"); page.wait_for_timeout(300)
            page.locator("#standing").scroll_into_view_if_needed()
            page.screenshot(path=f"/tmp/footer/{w}-{scheme}.png", full_page=True)
