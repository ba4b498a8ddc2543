package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A part of a template that has a value. */
sealed interface Expression {
    /** A value written out. */
    record Literal(@Nullable Object value) implements Expression {}

    /** The value of a variable. */
    record Name(String name) implements Expression {}

    /** A list or a tuple; templates cannot tell them apart. */
    record ListLiteral(List<Expression> items) implements Expression {}

    /** {@code {key: value, ...}}. */
    record MapLiteral(List<Entry> entries) implements Expression {
        /** One key and its value. */
        record Entry(Expression key, Expression value) {}
    }

    /** {@code target.name}. */
    record Attribute(Expression target, String name) implements Expression {}

    /** {@code target[key]}. */
    record Item(Expression target, Expression key) implements Expression {}

    /** {@code target[from:to:step]}. */
    record Slice(
            Expression target,
            @Nullable Expression from,
            @Nullable Expression to,
            @Nullable Expression step) implements Expression {}

    /** {@code function(arguments)}. */
    record Call(Expression function, Arguments arguments) implements Expression {}

    /** {@code input|name(arguments)}. */
    record Filter(Expression input, String name, Arguments arguments) implements Expression {}

    /** {@code input is name(arguments)}. */
    record Test(Expression input, String name, Arguments arguments) implements Expression {}

    /** {@code not value}. */
    record Not(Expression value) implements Expression {}

    /** {@code -value}. */
    record Negation(Expression value) implements Expression {}

    /** {@code left and right}: one of the two values. */
    record And(Expression left, Expression right) implements Expression {}

    /** {@code left or right}: one of the two values. */
    record Or(Expression left, Expression right) implements Expression {}

    /** {@code + - * / // % **}. */
    record Arithmetic(String operator, Expression left, Expression right) implements Expression {}

    /** {@code first < second <= third}: every neighbouring pair is compared. */
    record Comparison(Expression first, List<Step> steps) implements Expression {
        /** One operator and what stands on its right. */
        record Step(String operator, Expression value) {}
    }

    /** {@code a ~ b ~ c}. */
    record Concatenation(List<Expression> parts) implements Expression {}

    /** {@code value if condition else otherwise}. */
    record Conditional(
            Expression condition,
            Expression value,
            @Nullable Expression otherwise) implements Expression {}

    /** The arguments of a call. */
    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}
