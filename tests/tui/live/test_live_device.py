"""The device panel: what is not known is not 0."""

from __future__ import annotations

from live_lines import Stage, screen_text

from engine.machine.telemetry import GpuSample, HostSample, Sample, Sampler
from tui.live.device_panel import DevicePanel
from tui.widgets.lines import line_length

HOST = HostSample(43.2, 12_288, 24_576, 3.1, 8)


def gpu(index: int = 0, **known: float | None) -> GpuSample:
    figures = {
        "utilization": 87.0, "memory_used_mib": 12_595.0, "memory_total_mib": 143_771.0,
        "power_w": 340.4, "power_limit_w": 700.0, "temperature_c": 61.0, **known,
    }  # fmt: skip
    return GpuSample(index, f"uuid-{index}", "NVIDIA \x1b[31mH200", **figures, processes=())


def text(panel: DevicePanel, width: int, height: int) -> list[str]:
    lines = panel.draw(width, height)
    assert all(line_length(line) <= width for line in lines)
    return ["".join(text for text, _ in line) for line in lines]


def test_a_gpu_in_full() -> None:
    panel = DevicePanel()
    for _ in range(3):
        panel.show(Sample(0.0, HOST, (gpu(),), None))
    rows = text(panel, 40, 10)
    assert rows[0] == "GPU 0 NVIDIA H200"
    assert [row.split()[0] for row in rows[1:]] == ["use", "mem", "power", "temp", "cpu", "ram"]
    assert rows[1].endswith("87 %")
    assert "▇▇▇" in rows[1]
    assert rows[2].endswith("12.3 / 140 GiB")
    assert rows[3].endswith("340 / 700 W")
    assert rows[4].endswith("61 °C")
    assert rows[5].endswith("43 % · 8 cores")
    assert rows[6].endswith("12.0 / 24 GiB")


def test_what_the_driver_does_not_tell_is_not_zero() -> None:
    panel = DevicePanel()
    unknown = gpu(utilization=None, memory_used_mib=None, power_w=None, temperature_c=None)
    panel.show(Sample(0.0, HOST, (unknown,), None))
    rows = text(panel, 40, 10)
    assert all(row.endswith("n/a") for row in rows[1:5])
    assert not any("0" in row for row in rows[1:5])
    assert not any(bar in row for row in rows[1:5] for bar in "▁▂▃▄▅▆▇█")


def test_without_a_driver_the_note_and_the_host() -> None:
    panel = DevicePanel()
    note = "No GPU found; showing CPU and RAM"
    panel.show(Sample(0.0, HOST, (), note))
    rows = text(panel, 36, 8)
    assert rows[0].startswith("cpu")
    assert " ".join(rows[2:]) == note
    assert text(panel, 30, 3)[2].endswith("…")


def test_many_gpus_take_a_line_each_and_the_rest_is_counted() -> None:
    panel = DevicePanel()
    panel.show(Sample(0.0, HOST, tuple(gpu(i) for i in range(8)), None))
    rows = text(panel, 36, 10)
    assert [row.split()[:2] for row in rows[:8]] == [["gpu", str(i)] for i in range(8)]
    assert rows[0].endswith("87% 12/140G 340 W 61°")
    rows = text(panel, 36, 6)
    assert rows[3] == "and 5 more"
    assert len(rows) == 6


async def test_this_machine_is_shown() -> None:
    sampler = Sampler()
    panel = DevicePanel()
    async with Stage(panel).run_test(size=(44, 9)) as pilot:
        panel.show(sampler.sample())
        await pilot.pause()
        shown = "\n".join(screen_text(pilot.app))
    sampler.close()
    assert "GiB" in shown
    assert "core" in shown
