"""Get data out of sentences: `python examples/json_answers.py "Ana is 31 and lives in Quito."`

Writes one JSON object a line. The schema makes sure of the form; whether the values are right is up to the model, and
the starter model is often wrong.
"""

import argparse
import json

import abierto

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 30},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "city": {"type": "string", "maxLength": 30},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}


def main() -> None:
    """Read the sentences that the command line holds."""
    parser = argparse.ArgumentParser(description="Get name, age and city out of sentences.")
    parser.add_argument("sentences", nargs="+", metavar="SENTENCE")
    parser.add_argument("--model", default="", help="default: the model of the settings")
    arguments = parser.parse_args()
    for sentence in arguments.sentences:
        answer = abierto.chat(
            f"Who is it? Answer with name, age and city.\n\n{sentence}",
            model=arguments.model,
            schema=PERSON,
            temperature=0,
            max_tokens=120,
        )
        print(json.dumps(json.loads(answer), ensure_ascii=False))


if __name__ == "__main__":
    main()
