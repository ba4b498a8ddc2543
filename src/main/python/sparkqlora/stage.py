"""What the stages have in common: the params of their Java classes, and storage that Java and Scala read too.

In a session of this process a stage wraps its Java object. Through Spark Connect it is the name of its Java class and
its params, of which the server makes an object when work is asked for.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Callable, ClassVar, TypeVar

from pyspark.ml.param import Param, TypeConverters
from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable, JavaMLWriter
from pyspark.ml.wrapper import JavaParams
from pyspark.sql import DataFrame
from pyspark.sql.utils import is_remote

from sparkqlora.errors import BadInputError, QLoraError, told_plainly
from sparkqlora.jvm import java_class

S = TypeVar("S", bound="Stage")

_ACCESS = 3
"""Letters of ``get`` and ``set``."""


def _word(value: Any) -> str:
    # Spark's own converter asks for a type that NumPy 2 does not have any more.
    if isinstance(value, (str, os.PathLike)):
        return str(os.fspath(value))

    raise TypeError(f"expected a text, found {value!r}")


# Spark's wrapper reads an array from the JVM where a converter's name begins with toList.
def toListOfWords(values: Any) -> list[str]:  # noqa: N802
    """Make a list of texts, also of a Java array; a dictionary becomes ``name=value`` texts."""
    if isinstance(values, Mapping):
        return [f"{_word(name)}={value}" for name, value in values.items()]

    if isinstance(values, str):
        raise TypeError(f"expected a list of texts, found {values!r}")

    return [_word(value) for value in values]


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "BooleanParam": TypeConverters.toBoolean,
    "DoubleArrayParam": TypeConverters.toListFloat,
    "DoubleParam": TypeConverters.toFloat,
    "IntParam": TypeConverters.toInt,
    "LongParam": TypeConverters.toInt,
    "Param": _word,
    "StringArrayParam": toListOfWords,
}


@lru_cache(maxsize=1)
def _params() -> dict[str, dict[str, dict[str, Any]]]:
    """Read the params of all stages: by Java class and name, their type, doc and default."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(Path(__file__).with_name("params.json").read_text("utf-8"))
    return found


class Stage(JavaParams):
    """A stage whose params are those of its Java class, with ``setX`` and ``getX`` for each."""

    _java_name: ClassVar[str]

    def _add_params(self) -> None:
        described = _params()[self._java_name]
        for name, param in described.items():
            setattr(self, name, Param(self, name, param["doc"], _CONVERTERS[param["type"]]))

        self._params = None  # kept by Params, which must look again
        self._setDefault(**{name: param["default"] for name, param in described.items() if "default" in param})

    def _make(self, params: Mapping[str, Any]) -> None:
        """Become a new stage."""
        self._java_obj = self._java_name if is_remote() else java_class(self._java_name)(self.uid)
        self._add_params()
        self._set(**params)

    def _create_params_from_java(self) -> None:
        """Leave them, which are known."""

    def _set(self: S, **values: Any) -> S:
        """Set params, and let Java say at once what it would refuse; a server of Spark Connect says it later.

        ``None`` leaves a param at its default.
        """
        for name, value in values.items():
            if not self.hasParam(name):
                raise TypeError(self._unknown(name))

            param = self.getParam(name)
            if value is None:
                self._leave(param)
                continue

            before = dict(self._paramMap)
            super()._set(**{name: value})
            try:
                self._ask_java(param)
            except QLoraError:
                self._paramMap = before
                raise

        return self

    def _leave(self, param: Param[Any]) -> None:
        self._paramMap.pop(param, None)
        if self._java_obj is not None and not is_remote():
            self._java_obj.clear(self._java_obj.getParam(param.name))

    def _ask_java(self, param: Param[Any]) -> None:
        if self.isSet(param) and self._java_obj is not None and not is_remote():
            with told_plainly():
                self._make_java_param_pair(param, self.getOrDefault(param))

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, [param.name for param in self.params], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{type(self).__name__} has no param {name}{hint}"

    def __getattr__(self, name: str) -> Any:
        """Give ``setRank`` and ``getRank`` for ``rank``."""
        known = self.__dict__.get(name[_ACCESS : _ACCESS + 1].lower() + name[_ACCESS + 1 :])
        if isinstance(known, Param) and name.startswith("set"):
            return partial(self._put, known.name)

        if isinstance(known, Param) and name.startswith("get"):
            return partial(self.getOrDefault, known.name)

        raise AttributeError(f"{type(self).__name__} has no attribute {name}")

    def _put(self: S, name: str, value: Any) -> S:
        return self._set(**{name: value})


class _Reader(JavaMLReader[Any]):
    """Reads what the Java class of the same stage wrote."""

    @classmethod
    def _java_loader_class(cls, clazz: Any) -> str:
        return str(clazz._java_name)

    @classmethod
    def _load_java_obj(cls, clazz: Any) -> Any:
        return java_class(cls._java_loader_class(clazz))

    def load(self, path: str) -> Any:
        with told_plainly():
            return super().load(os.fspath(path))


class _Writer(JavaMLWriter):
    """Writes what the Java class of the same stage reads."""

    def save(self, path: str) -> None:
        with told_plainly():
            super().save(os.fspath(path))


class Stored(JavaMLReadable[Any], JavaMLWritable):
    """Kept in the layout that Java and Scala read too, alone and in pipelines."""

    @classmethod
    def read(cls) -> Any:
        """Return a reader of what a stage of this kind wrote."""
        if is_remote():
            from sparkqlora.connect import StageReader  # noqa: PLC0415 - Spark 3.5 lacks what it needs

            return StageReader(cls)

        return _Reader(cls)

    def write(self) -> Any:
        """Return a writer of this stage."""
        if is_remote():
            from sparkqlora.connect import StageWriter  # noqa: PLC0415

            return StageWriter(self)

        return _Writer(self)


def table(verb: str, dataset: Any) -> DataFrame:
    """Return what is a table of Spark.

    :raises BadInputError: when it is something else
    """
    if not isinstance(dataset, DataFrame):
        raise BadInputError(
            f"Cannot {verb}: expected a DataFrame of Spark, found {type(dataset).__name__}."
            " spark.createDataFrame makes one"
        )

    return dataset
