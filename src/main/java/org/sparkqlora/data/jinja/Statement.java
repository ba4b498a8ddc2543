package org.sparkqlora.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Expression.Arguments;

/** A part of a template that writes or changes something. */
sealed interface Statement {
    int line();

    /** Text that is written as it is. */
    record Text(int line, String text) implements Statement {}

    /** {@code {{ value }}}. */
    record Output(int line, Expression value) implements Statement {}

    /** The first branch whose condition holds, else {@code otherwise}. */
    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
        /** One condition and what follows from it. */
        record Branch(int line, Expression condition, List<Statement> body) {}
    }

    /** The body for each item that meets the condition, {@code otherwise} when there is none. */
    record For(
            int line,
            Target target,
            Expression items,
            @Nullable Expression condition,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    /** {@code {% set target = value %}}. */
    record Set(int line, Target target, Expression value) implements Statement {}

    /** {@code {% set x %}...{% endset %}}: what the body writes becomes the value. */
    record SetBlock(int line, Target target, List<FilterCall> filters, List<Statement> body) implements Statement {}

    /** A function whose value is what its body writes. */
    record Macro(int line, String name, List<Parameter> parameters, List<Statement> body) implements Statement {
        /** One parameter of a macro. */
        record Parameter(String name, @Nullable Expression defaultValue) {}
    }

    /** {@code {% call f() %}...{% endcall %}}: the body is what {@code caller()} writes. */
    record CallBlock(int line, List<Macro.Parameter> parameters, Expression call, List<Statement> body)
            implements Statement {}

    /** Passes the output of the body through filters. */
    record FilterBlock(int line, List<FilterCall> filters, List<Statement> body) implements Statement {}

    /** The text of the assistant. */
    record Generation(int line, List<Statement> body) implements Statement {}

    /** Ends the loop. */
    record Break(int line) implements Statement {}

    /** Ends this pass of the loop. */
    record Continue(int line) implements Statement {}

    /** A filter and what it is called with. */
    record FilterCall(String name, Arguments arguments) {}

    /** The target of an assignment. */
    sealed interface Target {
        /** A name in the current scope. */
        record Variable(String name) implements Target {}

        /** A field of a namespace. */
        record Field(String namespace, String name) implements Target {}

        /** {@code a, b}: the items of the value, one each. */
        record Several(List<Target> targets) implements Target {}
    }
}
