package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Statement.FilterCall;
import org.sparkqlora.data.jinja.Statement.Macro.Parameter;
import org.sparkqlora.data.jinja.Statement.Target;

/** One rendering: walks the statements, counts what it uses, remembers the line for messages. */
final class Interpreter {
    private static final String LOOP = "loop";
    private static final String CALLER = "caller";

    private final Limits limits;
    private final Output output;
    private int iterations;
    private int depth;
    private int line = 1;

    Interpreter(Limits limits) {
        this.limits = limits;
        this.output = new Output(limits.outputChars());
    }

    Rendering render(List<Statement> body, Scope scope) {
        try {
            run(body, scope);
        } catch (EvaluationException e) {
            throw TemplateException.rendering(line, e.problem());
        }

        return output.finish();
    }

    /** How a body ended. */
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private Flow run(List<Statement> body, Scope scope) {
        depth++;
        if (depth > limits.depth()) {
            throw new EvaluationException("expected at most %d levels of nesting".formatted(limits.depth()));
        }

        try {
            for (Statement statement : body) {
                line = statement.line();
                Flow flow = run(statement, scope);
                if (flow != Flow.NEXT) {
                    return flow;
                }
            }

            return Flow.NEXT;
        } finally {
            depth--;
        }
    }

    private Flow run(Statement statement, Scope scope) {
        if (statement instanceof Statement.If choice) {
            return choose(choice, scope);
        }

        if (statement instanceof Statement.Break) {
            return Flow.BREAK;
        }

        if (statement instanceof Statement.Continue) {
            return Flow.CONTINUE;
        }

        if (statement instanceof Statement.For loop) {
            return loop(loop, scope);
        }

        execute(statement, scope);
        return Flow.NEXT;
    }

    /** Statements after which the next one follows. */
    private void execute(Statement statement, Scope scope) {
        if (statement instanceof Statement.Text text) {
            output.write(text.text());
        } else if (statement instanceof Statement.Output value) {
            output.write(PythonText.str(Evaluator.evaluate(value.value(), scope)));
        } else if (statement instanceof Statement.Set set) {
            assign(set.target(), Evaluator.evaluate(set.value(), scope), scope);
        } else if (statement instanceof Statement.SetBlock block) {
            assign(block.target(), filtered(block.filters(), block.body(), scope), scope);
        } else if (statement instanceof Statement.FilterBlock block) {
            output.write(PythonText.str(filtered(block.filters(), block.body(), scope)));
        } else if (statement instanceof Statement.Generation generation) {
            output.markGenerated(() -> run(generation.body(), scope.inner()));
        } else if (statement instanceof Statement.Macro macro) {
            scope.set(macro.name(), function(macro.name(), macro.parameters(), macro.body(), scope));
        } else if (statement instanceof Statement.CallBlock block) {
            callWithBlock(block, scope);
        }
    }

    private Flow choose(Statement.If choice, Scope scope) {
        for (Statement.If.Branch branch : choice.branches()) {
            line = branch.line();
            if (Evaluator.isTrue(branch.condition(), scope)) {
                return run(branch.body(), scope);
            }
        }

        return run(choice.otherwise(), scope);
    }

    private Flow loop(Statement.For loop, Scope scope) {
        List<@Nullable Object> items = selected(loop, scope);
        if (items.isEmpty()) {
            return run(loop.otherwise(), scope);
        }

        for (int i = 0; i < items.size(); i++) {
            countIteration();
            Scope inner = scope.inner();
            inner.set(LOOP, new LoopState(items, i));
            assign(loop.target(), items.get(i), inner);
            if (run(loop.body(), inner) == Flow.BREAK) {
                break;
            }
        }

        return Flow.NEXT;
    }

    private List<@Nullable Object> selected(Statement.For loop, Scope scope) {
        List<@Nullable Object> items = Values.items(Evaluator.evaluate(loop.items(), scope));
        Expression condition = loop.condition();
        if (condition == null) {
            return items;
        }

        List<@Nullable Object> selected = new ArrayList<>();
        for (Object item : items) {
            countIteration();
            Scope inner = scope.inner();
            assign(loop.target(), item, inner);
            if (Evaluator.isTrue(condition, inner)) {
                selected.add(item);
            }
        }

        return selected;
    }

    private void countIteration() {
        iterations++;
        if (iterations > limits.iterations()) {
            throw new EvaluationException("expected at most %d passes through loops".formatted(limits.iterations()));
        }
    }

    private static void assign(Target target, @Nullable Object value, Scope scope) {
        if (target instanceof Target.Variable variable) {
            scope.set(variable.name(), value);
        } else if (target instanceof Target.Field field) {
            assignField(field, value, scope);
        } else {
            assignSeveral((Target.Several) target, value, scope);
        }
    }

    private static void assignField(Target.Field field, @Nullable Object value, Scope scope) {
        if (!(scope.get(field.namespace()) instanceof Namespace namespace)) {
            throw new EvaluationException("cannot set %s.%s: expected a namespace, found a %s"
                    .formatted(field.namespace(), field.name(), Values.kind(scope.get(field.namespace()))));
        }

        namespace.fields().put(field.name(), value);
    }

    private static void assignSeveral(Target.Several several, @Nullable Object value, Scope scope) {
        List<@Nullable Object> values = Values.items(value);
        if (values.size() != several.targets().size()) {
            throw new EvaluationException("cannot unpack: expected %d values, found %d"
                    .formatted(several.targets().size(), values.size()));
        }

        for (int i = 0; i < values.size(); i++) {
            assign(several.targets().get(i), values.get(i), scope);
        }
    }

    private @Nullable Object filtered(List<FilterCall> filters, List<Statement> body, Scope scope) {
        @Nullable Object value = output.capture(() -> run(body, scope.inner()));
        for (FilterCall filter : filters) {
            value = Evaluator.filter(filter.name(), filter.arguments(), value, scope);
        }

        return value;
    }

    private void callWithBlock(Statement.CallBlock block, Scope scope) {
        Scope inner = scope.inner();
        inner.set(CALLER, function(CALLER, block.parameters(), block.body(), scope));
        output.write(PythonText.str(Evaluator.evaluate(block.call(), inner)));
    }

    private TemplateFunction function(String name, List<Parameter> parameters, List<Statement> body, Scope scope) {
        return (positional, named) -> {
            int callerLine = line;
            Scope inner = scope.inner();
            bind(name, parameters, new CallArguments(positional, named), inner);
            String text = output.capture(() -> run(body, inner));
            line = callerLine;
            return text;
        };
    }

    private static void bind(String name, List<Parameter> parameters, CallArguments arguments, Scope scope) {
        if (arguments.positional().size() > parameters.size()) {
            throw new EvaluationException("cannot call %s with %d values: expected at most %d"
                    .formatted(name, arguments.positional().size(), parameters.size()));
        }

        for (int i = 0; i < parameters.size(); i++) {
            Parameter parameter = parameters.get(i);
            scope.set(
                    parameter.name(),
                    arguments.has(i, parameter.name())
                            ? arguments.value(i, parameter.name(), null)
                            : defaultValue(parameter, scope));
        }
    }

    private static @Nullable Object defaultValue(Parameter parameter, Scope scope) {
        Expression value = parameter.defaultValue();
        return value == null ? new Undefined("'" + parameter.name() + "'") : Evaluator.evaluate(value, scope);
    }

    /** Names that every template has. */
    static Map<String, TemplateFunction> globals(Limits limits) {
        return Map.of(
                "range", (positional, named) -> range(positional, limits.iterations()),
                "namespace", (positional, named) -> namespace(positional, named),
                "dict", (positional, named) -> namespace(positional, named).fields(),
                "raise_exception",
                        (positional, named) -> {
                            throw new EvaluationException("the template refuses the conversation: "
                                    + PythonText.str(positional.isEmpty() ? "" : positional.get(0)));
                        });
    }

    private static Namespace namespace(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        Namespace namespace = new Namespace(Map.of());
        if (!positional.isEmpty() && positional.get(0) instanceof Map<?, ?> start) {
            start.forEach((name, value) -> namespace.fields().put(PythonText.str(name), value));
        }

        namespace.fields().putAll(named);
        return namespace;
    }

    private static List<@Nullable Object> range(List<@Nullable Object> positional, int limit) {
        CallArguments arguments = new CallArguments(positional, Map.of());
        long from = positional.size() < 2 ? 0 : arguments.integer(0, "start", 0);
        long to = arguments.integer(positional.size() < 2 ? 0 : 1, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new EvaluationException("cannot count in steps of 0");
        }

        List<@Nullable Object> numbers = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            if (numbers.size() >= limit) {
                throw new EvaluationException("expected a range of at most %d numbers".formatted(limit));
            }

            numbers.add(i);
        }

        return numbers;
    }
}
