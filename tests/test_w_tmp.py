import json
from tests.test_injections import *
from tests.support.evil import *
@pytest.mark.parametrize("pid",["md-link-title","prompt-tags"])
def test_w(scene, planted, pid):
    payload=next(p for p in PAYLOADS if p.id==pid)
    plant(planted,payload)
    model=EvilModel(payload,always=True)
    scene.rehearse(model)
    _, events = scene.ask(SURFACES["post"], {"query": payload.question})
    for e in events:
        s=json.dumps(e["payload"],ensure_ascii=False)
        if (e["event_type"]!="source" and "evil-gull" in s) or re.search("[\U000e0000-\U000e0fff]",s): print("EV",e["event_type"],s)
    assert 0
