package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Expression.And;
import org.sparkqlora.data.jinja.Expression.Arguments;
import org.sparkqlora.data.jinja.Expression.Arithmetic;
import org.sparkqlora.data.jinja.Expression.Attribute;
import org.sparkqlora.data.jinja.Expression.Call;
import org.sparkqlora.data.jinja.Expression.Comparison;
import org.sparkqlora.data.jinja.Expression.Concatenation;
import org.sparkqlora.data.jinja.Expression.Conditional;
import org.sparkqlora.data.jinja.Expression.Filter;
import org.sparkqlora.data.jinja.Expression.Item;
import org.sparkqlora.data.jinja.Expression.ListLiteral;
import org.sparkqlora.data.jinja.Expression.Literal;
import org.sparkqlora.data.jinja.Expression.MapLiteral;
import org.sparkqlora.data.jinja.Expression.Name;
import org.sparkqlora.data.jinja.Expression.Negation;
import org.sparkqlora.data.jinja.Expression.Not;
import org.sparkqlora.data.jinja.Expression.Or;
import org.sparkqlora.data.jinja.Expression.Slice;
import org.sparkqlora.data.jinja.Expression.Test;

/** The value of an expression among the names of a scope. */
final class Evaluator {
    private Evaluator() {}

    static @Nullable Object evaluate(Expression expression, Scope scope) {
        if (expression instanceof Literal literal) {
            return literal.value();
        }

        if (expression instanceof Name name) {
            return scope.get(name.name());
        }

        if (expression instanceof Attribute attribute) {
            return Fields.attribute(evaluate(attribute.target(), scope), attribute.name());
        }

        if (expression instanceof Item item) {
            return Fields.item(evaluate(item.target(), scope), evaluate(item.key(), scope));
        }

        if (expression instanceof Slice slice) {
            return slice(slice, scope);
        }

        if (expression instanceof Call call) {
            return call(call, scope);
        }

        if (expression instanceof Filter filter) {
            return filter(filter.name(), filter.arguments(), evaluate(filter.input(), scope), scope);
        }

        return isLogical(expression) ? logical(expression, scope) : computed(expression, scope);
    }

    static boolean isTrue(Expression expression, Scope scope) {
        return Values.isTrue(evaluate(expression, scope));
    }

    static @Nullable Object filter(String name, Arguments arguments, @Nullable Object input, Scope scope) {
        return Filters.apply(name, input, arguments(arguments, scope));
    }

    private static boolean isLogical(Expression expression) {
        return expression instanceof And
                || expression instanceof Or
                || expression instanceof Not
                || expression instanceof Test
                || expression instanceof Comparison
                || expression instanceof Conditional;
    }

    private static @Nullable Object logical(Expression expression, Scope scope) {
        if (expression instanceof And and) {
            Object left = evaluate(and.left(), scope);
            return Values.isTrue(left) ? evaluate(and.right(), scope) : left;
        }

        if (expression instanceof Or or) {
            Object left = evaluate(or.left(), scope);
            return Values.isTrue(left) ? left : evaluate(or.right(), scope);
        }

        if (expression instanceof Not not) {
            return !isTrue(not.value(), scope);
        }

        if (expression instanceof Test test) {
            return Tests.test(test.name(), evaluate(test.input(), scope), arguments(test.arguments(), scope));
        }

        return expression instanceof Comparison comparison
                ? (Object) compare(comparison, scope)
                : choose((Conditional) expression, scope);
    }

    private static Object computed(Expression expression, Scope scope) {
        if (expression instanceof ListLiteral list) {
            return evaluateAll(list.items(), scope);
        }

        if (expression instanceof MapLiteral map) {
            Map<@Nullable Object, @Nullable Object> values = new LinkedHashMap<>();
            map.entries().forEach(entry -> values.put(evaluate(entry.key(), scope), evaluate(entry.value(), scope)));
            return values;
        }

        if (expression instanceof Concatenation concatenation) {
            return Filters.joined(evaluateAll(concatenation.parts(), scope), "");
        }

        if (expression instanceof Negation negation) {
            return Operators.arithmetic("-", 0L, evaluate(negation.value(), scope));
        }

        Arithmetic arithmetic = (Arithmetic) expression;
        return Operators.arithmetic(
                arithmetic.operator(), evaluate(arithmetic.left(), scope), evaluate(arithmetic.right(), scope));
    }

    private static List<@Nullable Object> evaluateAll(List<Expression> expressions, Scope scope) {
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }

        return values;
    }

    private static Object slice(Slice slice, Scope scope) {
        return Fields.slice(
                evaluate(slice.target(), scope),
                evaluateOptional(slice.from(), scope),
                evaluateOptional(slice.to(), scope),
                evaluateOptional(slice.step(), scope));
    }

    private static @Nullable Object evaluateOptional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }

    private static boolean compare(Comparison comparison, Scope scope) {
        Object left = evaluate(comparison.first(), scope);
        for (Comparison.Step step : comparison.steps()) {
            Object right = evaluate(step.value(), scope);
            if (!Operators.compare(step.operator(), left, right)) {
                return false;
            }

            left = right;
        }

        return true;
    }

    private static @Nullable Object choose(Conditional conditional, Scope scope) {
        if (isTrue(conditional.condition(), scope)) {
            return evaluate(conditional.value(), scope);
        }

        return conditional.otherwise() == null
                ? new Undefined("the value of an if without else")
                : evaluate(conditional.otherwise(), scope);
    }

    private static @Nullable Object call(Call call, Scope scope) {
        Object function = evaluate(call.function(), scope);
        if (function instanceof TemplateFunction callable) {
            CallArguments arguments = arguments(call.arguments(), scope);
            return callable.call(arguments.positional(), arguments.named());
        }

        throw new EvaluationException("cannot call a " + Values.kind(function));
    }

    private static CallArguments arguments(Arguments arguments, Scope scope) {
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, value) -> named.put(name, evaluate(value, scope)));
        return new CallArguments(evaluateAll(arguments.positional(), scope), named);
    }
}
