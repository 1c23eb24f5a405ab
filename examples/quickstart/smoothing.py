"""Smooths each of its inputs with an exponential moving average."""

from quickstart_stubs.smoothing import CpuEvent, InputClosed, MemoryEvent, Smoothing, Stop

WEIGHT = 0.3  # of the newest sample: a step reaches 83 % of its height after five samples


def smoothed(before: float | None, sample: float) -> float:
    """One step of the moving average; the first sample is its own average."""
    return sample if before is None else before + WEIGHT * (sample - before)


def main() -> None:
    """Answer every sample with the average so far."""
    cpu: float | None = None
    memory: float | None = None
    with Smoothing() as node:
        for event in node:
            match event:
                case CpuEvent(value=samples):
                    cpu = smoothed(cpu, samples[0].as_py())
                    node.outputs.cpu.send([cpu])
                case MemoryEvent(value=samples):
                    memory = smoothed(memory, samples[0].as_py())
                    node.outputs.memory.send([memory])
                case InputClosed() | Stop():
                    pass


main()
