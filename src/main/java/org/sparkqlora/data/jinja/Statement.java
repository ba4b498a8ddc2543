package org.sparkqlora.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Expression.Arguments;

/** A part of a template that writes or changes something. */
sealed interface Statement {
    int line();

    record Text(int line, String text) implements Statement {}

    record Output(int line, Expression value) implements Statement {}

    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
        record Branch(int line, Expression condition, List<Statement> body) {}
    }

    record For(
            int line,
            Target target,
            Expression items,
            @Nullable Expression condition,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Set(int line, Target target, Expression value) implements Statement {}

    /** {@code {% set x %}...{% endset %}}: what the body writes becomes the value. */
    record SetBlock(int line, Target target, List<FilterCall> filters, List<Statement> body) implements Statement {}

    record Macro(int line, String name, List<Parameter> parameters, List<Statement> body) implements Statement {
        record Parameter(String name, @Nullable Expression defaultValue) {}
    }

    /** {@code {% call f() %}...{% endcall %}}: the body is what {@code caller()} writes. */
    record CallBlock(int line, List<Macro.Parameter> parameters, Expression call, List<Statement> body)
            implements Statement {}

    record FilterBlock(int line, List<FilterCall> filters, List<Statement> body) implements Statement {}

    /** What the assistant says. */
    record Generation(int line, List<Statement> body) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}

    record FilterCall(String name, Arguments arguments) {}

    /** What a value is assigned to. */
    sealed interface Target {
        record Variable(String name) implements Target {}

        /** A field of a namespace. */
        record Field(String namespace, String name) implements Target {}

        record Several(List<Target> targets) implements Target {}
    }
}
