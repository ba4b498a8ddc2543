package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Statement.FilterCall;
import org.sparkqlora.data.jinja.Statement.Macro.Parameter;
import org.sparkqlora.data.jinja.Statement.Target;
import org.sparkqlora.input.BadInputException;

/** One rendering: walks the statements, counts what it uses, remembers the line for messages. */
final class Interpreter {
    private static final String LOOP = "loop";
    private static final String CALLER = "caller";

    private final Budget budget;
    private final Evaluator evaluator;
    private final Output output;
    private final MessagePasses passes;
    private int line = 1;

    Interpreter(Budget budget, MessagePasses passes) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget);
        this.output = new Output(budget);
        this.passes = passes;
    }

    Rendering render(List<Statement> body, Scope scope) {
        try {
            run(body, scope);
        } catch (EvaluationException | BadInputException e) {
            throw TemplateException.rendering(line, String.valueOf(e.getMessage()), e);
        } catch (RuntimeException e) {
            throw TemplateException.rendering(line, "an operation failed: " + e, e);
        } catch (StackOverflowError e) {
            // Of a thread with a smaller stack than limits allow for; rendering holds nothing that would be left half
            // done.
            throw TemplateException.rendering(
                    line, "expressions, blocks or calls are nested too deep for this thread", e);
        }

        return output.finish(passes.spans());
    }

    /** The way a body ended. */
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private Flow run(List<Statement> body, Scope scope) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (int i = 0; i < body.size() && flow == Flow.NEXT; i++) {
            budget.steps(1);
            line = body.get(i).line();
            flow = run(body.get(i), scope);
        }

        budget.leave();
        return flow;
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
            output.write(PythonText.str(evaluator.evaluate(value.value(), scope), budget));
        } else if (statement instanceof Statement.Set set) {
            assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
        } else if (statement instanceof Statement.SetBlock block) {
            assign(block.target(), filtered(block.filters(), block.body(), scope), scope);
        } else if (statement instanceof Statement.FilterBlock block) {
            output.write(PythonText.str(filtered(block.filters(), block.body(), scope), budget));
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
            if (evaluator.isTrue(branch.condition(), scope)) {
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
            budget.steps(1);
            Scope inner = scope.inner();
            inner.set(LOOP, new LoopState(items, i));
            assign(loop.target(), items.get(i), inner);
            int from = output.place();
            Flow flow = run(loop.body(), inner);
            passes.add(items.get(i), from, output.place());
            if (flow == Flow.BREAK) {
                break;
            }
        }

        return Flow.NEXT;
    }

    private List<@Nullable Object> selected(Statement.For loop, Scope scope) {
        List<@Nullable Object> items = Values.items(evaluator.evaluate(loop.items(), scope), budget);
        Expression condition = loop.condition();
        if (condition == null) {
            return items;
        }

        List<@Nullable Object> selected = new ArrayList<>();
        for (Object item : items) {
            budget.steps(1);
            Scope inner = scope.inner();
            assign(loop.target(), item, inner);
            if (evaluator.isTrue(condition, inner)) {
                selected.add(item);
            }
        }

        return selected;
    }

    private void assign(Target target, @Nullable Object value, Scope scope) {
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

    private void assignSeveral(Target.Several several, @Nullable Object value, Scope scope) {
        List<@Nullable Object> values = Values.items(value, budget);
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
            value = evaluator.filter(filter.name(), filter.arguments(), value, scope);
        }

        return value;
    }

    private void callWithBlock(Statement.CallBlock block, Scope scope) {
        Scope inner = scope.inner();
        inner.set(CALLER, function(CALLER, block.parameters(), block.body(), scope));
        output.write(PythonText.str(evaluator.evaluate(block.call(), inner), budget));
    }

    private TemplateFunction function(String name, List<Parameter> parameters, List<Statement> body, Scope scope) {
        return (positional, named) -> {
            int callerLine = line;
            Scope inner = scope.inner();
            bind(name, parameters, new CallArguments(positional, named, budget), inner);
            String text = output.capture(() -> run(body, inner));
            line = callerLine;
            return text;
        };
    }

    private void bind(String name, List<Parameter> parameters, CallArguments arguments, Scope scope) {
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

    private @Nullable Object defaultValue(Parameter parameter, Scope scope) {
        Expression value = parameter.defaultValue();
        return value == null ? new Undefined("'" + parameter.name() + "'") : evaluator.evaluate(value, scope);
    }
}
