package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Functions that every template can call. */
record Globals(Budget budget) {
    /** Chars of a template's own message that are passed on. */
    private static final int MESSAGE = 1000;

    Map<String, TemplateFunction> functions() {
        return Map.of(
                "range", (positional, named) -> range(new CallArguments(positional, Map.of(), budget)),
                "namespace", this::namespace,
                "dict", (positional, named) -> namespace(positional, named).fields(),
                "raise_exception",
                        (positional, named) -> {
                            throw refusal(positional.isEmpty() ? "" : positional.get(0));
                        });
    }

    private Namespace namespace(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        budget.items(named.size());
        Namespace namespace = new Namespace(Map.of());
        if (!positional.isEmpty() && positional.get(0) instanceof Map<?, ?> start) {
            budget.items(start.size());
            start.forEach((name, value) -> namespace.fields().put(PythonText.str(name, budget), value));
        }

        namespace.fields().putAll(named);
        return namespace;
    }

    private List<@Nullable Object> range(CallArguments arguments) {
        int given = arguments.positional().size();
        long from = given < 2 ? 0 : arguments.integer(0, "start", 0);
        long to = arguments.integer(given < 2 ? 0 : 1, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new EvaluationException("cannot count in steps of 0");
        }

        List<@Nullable Object> numbers = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            budget.items(1);
            numbers.add(i);
        }

        return numbers;
    }

    private EvaluationException refusal(@Nullable Object reason) {
        String text = PythonText.str(reason, budget);
        return new EvaluationException("the template refuses the conversation: "
                + (text.length() <= MESSAGE ? text : text.substring(0, MESSAGE) + "..."));
    }
}
