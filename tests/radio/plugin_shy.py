"""plugin_shy - a device that does not pair, and hangs up on who tries: it is taken as it is, with the evidence that it has."""

from bed import main
from counterpart import Counterpart
from gateway import Gateway
from lib.wire_core import TEMPERATURE
from plugin_peripherals import until_heard, up

METER = "00:aa:01:01:00:01"


def scenario(bed):
    meter = Counterpart("meter")
    up(bed, meter, "hci1")
    with Gateway(bed, {"adapters": "hci0"}) as gateway:
        bed.check("the plugin waits", lambda: gateway.core.n_synced)
        bed.wait(2)
        bed.check("a window opens", lambda: gateway.window(120) == "ok")
        until_heard(bed, meter, "a meter that does not pair joins", lambda: gateway.joining(METER, "ready"), 60)
        bed.check("it has proved nothing", lambda: gateway.device(METER).evidence == 0)
        bed.check("it is read", lambda: gateway.is_near(METER, TEMPERATURE, 5.0))
        gateway.window(0)
        bed.wait(11)
        meter.order(set="2a6e", bytes="5802")
        bed.check("and listened to", lambda: gateway.is_near(METER, TEMPERATURE, 6.0))
        bed.check("it was tried a few times at most", len(gateway.joining(METER, "seen")) <= 2)


if __name__ == "__main__":
    main(scenario, 2)
