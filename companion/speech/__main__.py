"""A net that learns to write from a text, as a command (Section P.1).

python -m companion.speech train [--text FILE]     learns; run it again to go on after an interrupt
python -m companion.speech sample [--start WORDS]  writes
"""

import argparse
import sys
from pathlib import Path

CHECKPOINT = Path("speech.pt")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m companion.speech",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="learn from a text")
    train.add_argument("--text", metavar="FILE", help="a text in UTF-8; the corpus that comes with Python if none")
    train.add_argument("--checkpoint", metavar="FILE", default=CHECKPOINT, help="written, and resumed (%(default)s)")
    train.add_argument("--steps", type=int, default=2500, help="gradient steps in all (%(default)s)")
    train.add_argument("--units", type=int, default=128, help="of the LSTM (%(default)s)")
    train.add_argument("--rate", type=float, default=4e-3, help="learning rate (%(default)s)")
    train.add_argument("--seed", type=int, default=0, help="of the first weights (%(default)s)")
    train.add_argument("--every", type=int, default=100, help="steps from checkpoint to checkpoint (%(default)s)")
    sample = commands.add_parser("sample", help="write")
    sample.add_argument("--checkpoint", metavar="FILE", help=f"{CHECKPOINT} if there is one, else the book's own net")
    sample.add_argument("--start", default="the ", help="to write on from (%(default)r)")
    sample.add_argument("--characters", type=int, default=300, help="to write (%(default)s)")
    sample.add_argument("--temperature", type=float, default=0.7, help="0: the likeliest each time (%(default)s)")
    sample.add_argument("--seed", type=int, default=0, help="of the draws (%(default)s)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0, or 2 after an error of one line, or 130 after an interrupt."""
    from companion.speech.command import learn, writer_of
    from companion.speech.writer import write

    given = _parser().parse_args(arguments)
    try:
        if given.command == "train":
            options = {name: getattr(given, name) for name in ("steps", "units", "rate", "seed", "every")}
            history = learn(given.text, given.checkpoint, **options)
            if not history or history[-1]["step"] < given.steps:
                print("interrupted; the same command goes on from there")
                return 130
            print(f"{history[-1]['bits']:.2f} bits a character on text that was held out; now: sample")
            return 0
        checkpoint = given.checkpoint or (CHECKPOINT if CHECKPOINT.exists() else None)
        model = writer_of(checkpoint)
        print(given.start + write(model, given.start, given.characters, given.temperature, given.seed).text)
        return 0
    except (ValueError, FloatingPointError, OSError) as error:
        print(f"error: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
