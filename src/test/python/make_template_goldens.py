"""Renders goldens/templates with transformers' own template compiler (transformers 5.24.0, jinja2 3.1.6).

Usage: python src/test/python/make_template_goldens.py
Reads NAME.jinja, writes NAME.json: for each conversation the text with and without generation prompt, and, where the template
has generation blocks, their spans in code points.
"""

import json
import pathlib

from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template

FOLDER = pathlib.Path(__file__).parents[1] / "resources/goldens/templates"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
USER, ASSISTANT, SYSTEM = ({"role": role} for role in ("user", "assistant", "system"))


def say(role, content):
    return {**role, "content": content}


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": 'Says "what it is like" in a <city> – today',
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "enum": [1, 2]}},
            "required": ["city"],
        },
    },
}
CALL = {
    "type": "function",
    "id": "call12345",
    "function": {"name": "weather", "arguments": {"city": "Zürich", "days": 2, "ratio": 1.5, "exact": True, "none": None}},
}
CONVERSATIONS = {
    "one turn": ([say(USER, "Hi"), say(ASSISTANT, "Hello! 🙂")], None),
    "system": ([say(SYSTEM, " Be brief.\n"), say(USER, "What's 2+2?"), say(ASSISTANT, "4")], None),
    "turns": (
        [say(USER, "a\nb"), say(ASSISTANT, "\n<b>é</b> "), say(USER, " \"c\" "), say(ASSISTANT, "日本語"), say(USER, "ok"), say(ASSISTANT, "")],
        None,
    ),
    "system and turns": (
        [say(SYSTEM, "S"), say(USER, "1"), say(ASSISTANT, "one"), say(USER, "2"), say(ASSISTANT, "two")],
        None,
    ),
    "question": ([say(SYSTEM, "S"), say(USER, "1"), say(ASSISTANT, "one"), say(USER, "2")], None),
    "tools": (
        [
            say(USER, "Weather?"),
            {**ASSISTANT, "content": "", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call12345", "content": "sunny"},
            say(ASSISTANT, "It is sunny."),
        ],
        [WEATHER],
    ),
}


def golden(source, messages, tools):
    template = _compile_jinja_template(source)
    variables = {"messages": messages, "tools": tools, "documents": None, **TOKENS}
    case = {
        "messages": messages,
        "tools": tools,
        "text": template.render(**variables, add_generation_prompt=False),
        "prompt": template.render(**variables, add_generation_prompt=True),
    }
    if "generation %}" in source:
        _, spans = render_jinja_template(
            [messages], tools=tools, chat_template=source, return_assistant_tokens_mask=True, **TOKENS
        )
        case["generated"] = spans[0]
    return case


def main():
    for file in sorted(FOLDER.glob("*.jinja")):
        source = file.read_text()
        cases = {name: golden(source, *conversation) for name, conversation in CONVERSATIONS.items()}
        file.with_suffix(".json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


main()
