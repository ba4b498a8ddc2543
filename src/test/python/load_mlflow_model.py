"""Opens a registered model as MLflow's users do, and writes down what it is and says.

Usage: python src/test/python/load_mlflow_model.py LIBRARY URI MODEL PROMPT TOKENS RESULT.json

LIBRARY is the folder of MLflow's package, which with those beside it this environment lacks; URI that of the tracking server.
"""

import json
import sys
from pathlib import Path

library, uri, model, prompt, tokens, result = sys.argv[1:]
sys.path.append(str(Path(library).parent))

import mlflow  # noqa: E402
import mlflow.transformers  # noqa: E402

mlflow.set_tracking_uri(uri)
pipeline = mlflow.transformers.load_model(model)
function = mlflow.pyfunc.load_model(model)
request = {"messages": [{"role": "user", "content": prompt}], "max_tokens": int(tokens)}
if pipeline.tokenizer.chat_template is None:
    request = {"prompt": prompt, "max_tokens": int(tokens)}

said = pipeline(request.get("messages", prompt), max_new_tokens=int(tokens), do_sample=False)[0]["generated_text"]
answer = function.predict(request)  # samples
example = function.predict(function.input_example)
Path(result).write_text(
    json.dumps(
        {
            "pipeline": type(pipeline).__name__,
            "model": type(pipeline.model).__name__,
            "rank": pipeline.model.peft_config["default"].r,
            "said": said[-1]["content"] if isinstance(said, list) else said,
            "answer": answer,
            "example": example,
            "inputs": function.metadata.signature.inputs.input_names(),
            "outputs": function.metadata.signature.outputs.input_names(),
        }
    ),
    encoding="utf-8",
)
