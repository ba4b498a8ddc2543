"""Renders chat templates as transformers does, for ChatTemplatesIT (transformers 5.24.0).

Usage: python render_chat_templates.py TEMPLATES TOKENIZER... OUTPUT
TEMPLATES is a folder of .jinja files. OUTPUT gets, for each tokenizer folder, template and conversation, what apply_chat_template
makes of it: the text with and without generation prompt, or the error, and the ids with the mask of the assistant's tokens.
The clock stands still, so that templates which write the date give the same text on both sides.
"""

import datetime
import json
import pathlib
import re
import sys

from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

# Ids are made with this before the template, since a tokenizer's template has the system's clock in Java.
DATE = "{% macro strftime_now(format) %}6 July 2024{% endmacro %}"
NOW = datetime.datetime(2024, 7, 6)


class StandingClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def system(content):
    return {"role": "system", "content": content}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **fields):
    return {"role": "assistant", "content": content, **fields}


def tool(content, **fields):
    return {"role": "tool", "content": content, **fields}


def call(name, arguments, number=1):
    return {"id": f"call{number:05d}", "type": "function", "function": {"name": name, "arguments": arguments}}


def function(name, description, properties, required):
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = function(
    "weather",
    'Says "what it is like" in a <city> – today & tomorrow',
    {
        "city": {"type": "string", "description": "Which city"},
        "days": {"type": "integer", "enum": [1, 2], "description": "How many\ndays"},
        "exact": {"type": "boolean", "default": False},
    },
    ["city"],
)
SEARCH = function(
    "search",
    "Searches documents.",
    {
        "query": {"type": "string", "description": "Words"},
        "filters": {
            "type": "object",
            "description": "What to leave out",
            "properties": {"tags": {"type": "array", "items": {"type": "string"}}, "limit": {"type": "number"}},
            "required": ["tags"],
        },
        "either": {"type": ["string", "null"]},
    },
    ["query"],
)
NOTHING = {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}}
ARGUMENTS = {"city": "Zürich", "days": 2, "ratio": 1.5, "exact": True, "none": None, "list": ["a", 1], "map": {"k": "v"}}


def text(content):
    return [{"type": "text", "text": content}]


CONVERSATIONS = {
    "one turn": {"messages": [user("Hi"), assistant("Hello! 🙂")]},
    "system": {"messages": [system(" Be brief.\n"), user("What's 2+2?"), assistant("4")]},
    "three turns": {
        "messages": [system("S"), user("1"), assistant("one"), user("2"), assistant("two"), user("3"), assistant("three")]
    },
    "no system": {"messages": [user("a\nb"), assistant("\n<b>é</b> "), user(' "c" '), assistant("日本語"), user("ok"), assistant("")]},
    "white space": {"messages": [user("  \n lead and trail \t\n"), assistant("\n\n  code:\n    x = 1\n\n"), user("\u00a0 "), assistant("\u2003wide\u3000")]},
    "unicode": {
        "messages": [
            system("Ærø–— “quotes” 'single' \\ back"),
            user("مرحبا שלום नमस्ते 👩‍👩‍👧‍👦 🇫🇷 e\u0301 \u2028 \u200b"),
            assistant("ﬁ ½ İ ı ſ ß 𝕏 \U0010fffd"),
        ]
    },
    "question": {"messages": [system("S"), user("1"), assistant("one"), user("2")]},
    "parts": {"messages": [system(text("In parts")), user(text("a") + text("b")), assistant(text("c")), user(text(" d ")), assistant(text("e") + text("f"))]},
    "parts of the user": {"messages": [user(text("What is this?")), assistant("A text.")]},
    "tools": {
        "messages": [
            system("Use tools."),
            user("Weather?"),
            assistant("", tool_calls=[call("weather", ARGUMENTS)]),
            tool("sunny", tool_call_id="call00001", name="weather"),
            assistant("It is sunny."),
        ],
        "tools": [WEATHER, SEARCH, NOTHING],
    },
    "several calls": {
        "messages": [
            user("Weather in both?"),
            assistant("Let me look.", tool_calls=[call("weather", {"city": "Bern"}), call("weather", {"city": "Köln", "days": 1}, 2)]),
            tool('{"sky": "grey"}', tool_call_id="call00001", name="weather"),
            tool("rain", tool_call_id="call00002", name="weather"),
            assistant("Grey and rain."),
            user("Thanks"),
            assistant("Welcome"),
        ],
        "tools": [WEATHER],
    },
    "call without content": {
        "messages": [
            user("Now?"),
            {"role": "assistant", "tool_calls": [call("now", {})]},
            tool("12:00", tool_call_id="call00001", name="now"),
            assistant("Noon."),
        ],
        "tools": [NOTHING],
    },
    "content is null": {
        "messages": [
            user("Search"),
            {"role": "assistant", "content": None, "tool_calls": [call("search", {"query": "a \"b\" <c>", "filters": {"tags": []}})]},
            tool(text("found"), tool_call_id="call00001", name="search"),
            assistant("Found."),
        ],
        "tools": [SEARCH],
    },
    "arguments as text": {
        "messages": [
            user("Weather?"),
            assistant("", tool_calls=[call("weather", '{"city": "Oslo"}')]),
            tool("snow", tool_call_id="call00001", name="weather"),
            assistant("Snow."),
        ],
        "tools": [WEATHER],
    },
    "ends with a call": {
        "messages": [system("S"), user("Weather?"), assistant("", tool_calls=[call("weather", {"city": "Rom"})])],
        "tools": [WEATHER],
    },
    "ends with a result": {
        "messages": [user("Weather?"), assistant("", tool_calls=[call("weather", {"city": "Rom"})]), tool("hot", tool_call_id="call00001", name="weather")],
        "tools": [WEATHER],
    },
    "tools unused": {"messages": [system("S"), user("Hi"), assistant("Hello")], "tools": [WEATHER, NOTHING]},
    "reasoning": {
        "messages": [
            user("2+2?"),
            assistant("4", reasoning_content="Two and two\nare four."),
            user("3+3?"),
            assistant("6", reasoning_content="Six."),
        ]
    },
    "thinking": {"messages": [user("2+2?"), assistant("4", thinking="Four.")]},
    "reasoning and tools": {
        "messages": [
            user("Weather?"),
            assistant("", reasoning="I should look.", tool_calls=[call("weather", {"city": "Rom"})]),
            tool("hot", tool_call_id="call00001", name="weather"),
            assistant("Hot.", reasoning="It said hot."),
        ],
        "tools": [WEATHER],
    },
    "thoughts in the text": {
        "messages": [user("Q"), assistant("<think>\nhm\n</think>\n\nA"), user("Q2"), assistant("<think>x</think>B</think>C")]
    },
    "developer": {"messages": [{"role": "developer", "content": "D"}, user("Hi"), assistant("Hello")]},
    "two systems": {"messages": [system("S"), user("a"), assistant("b"), system("T"), user("c"), assistant("d")]},
    "names": {"messages": [{**user("Hi"), "name": "Ann"}, {**assistant("Hello"), "name": "Bot", "weight": 1}]},
    "two users": {"messages": [user("a"), user("b"), assistant("c")]},
    "null fields": {"messages": [user("Hi"), assistant("Hello", tool_calls=None, reasoning_content=None, refusal=None)]},
    "control tokens in the text": {"messages": [user("<|im_start|>system\nx<|im_end|>"), assistant("<s>[INST]{{ x }}{% y %}</s>")]},
}


def attempt(make):
    try:
        return make()
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


def render(tokenizer, template, record, prompt):
    return attempt(
        lambda: {
            "text": tokenizer.apply_chat_template(
                record["messages"],
                tools=record.get("tools"),
                chat_template=template,
                tokenize=False,
                add_generation_prompt=prompt,
            )
        }
    )


def encode(tokenizer, template, record):
    template = DATE + template
    marks = re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None
    encoded = tokenizer.apply_chat_template(
        record["messages"],
        tools=record.get("tools"),
        chat_template=template,
        return_dict=True,
        return_assistant_tokens_mask=marks,
    )
    return {"ids": encoded["input_ids"], "mask": encoded["assistant_masks"] if marks else None}


def main(templates, folders, output):
    chat_template_utils.datetime = StandingClock
    cases = []
    for folder in folders:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        for file in sorted(pathlib.Path(templates).glob("*.jinja")):
            template = file.read_text()
            for name, record in CONVERSATIONS.items():
                cases.append(
                    {
                        "tokenizer": pathlib.Path(folder).name,
                        "template": file.name,
                        "name": name,
                        "record": record,
                        "special_tokens": tokenizer.special_tokens_map,
                        "whole": render(tokenizer, template, record, False),
                        "prompt": render(tokenizer, template, record, True),
                        "encoded": attempt(lambda: encode(tokenizer, template, record)),
                    }
                )
    with open(output, "w") as out:
        for case in cases:
            out.write(json.dumps(case) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:-1], sys.argv[-1])
