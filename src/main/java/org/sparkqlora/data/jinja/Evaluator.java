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
record Evaluator(Budget budget) {
    @Nullable
    Object evaluate(Expression expression, Scope scope) {
        if (expression instanceof Literal literal) {
            return literal.value();
        }

        budget.enter();
        Object value = valueOf(expression, scope);
        budget.leave();
        return value;
    }

    private @Nullable Object valueOf(Expression expression, Scope scope) {
        if (expression instanceof Name name) {
            return scope.get(name.name());
        }

        if (expression instanceof Attribute attribute) {
            return Fields.attribute(evaluate(attribute.target(), scope), attribute.name(), budget);
        }

        if (expression instanceof Item item) {
            return Fields.item(evaluate(item.target(), scope), evaluate(item.key(), scope), budget);
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

    boolean isTrue(Expression expression, Scope scope) {
        return Values.isTrue(evaluate(expression, scope));
    }

    @Nullable
    Object filter(String name, Arguments arguments, @Nullable Object input, Scope scope) {
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

    private @Nullable Object logical(Expression expression, Scope scope) {
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

    private Object computed(Expression expression, Scope scope) {
        if (expression instanceof ListLiteral list) {
            budget.items(list.items().size());
            return evaluateAll(list.items(), scope);
        }

        if (expression instanceof MapLiteral map) {
            return evaluateMap(map, scope);
        }

        if (expression instanceof Concatenation concatenation) {
            return Filters.joined(evaluateAll(concatenation.parts(), scope), "", budget);
        }

        if (expression instanceof Negation negation) {
            return Operators.arithmetic("-", 0L, evaluate(negation.value(), scope), budget);
        }

        Arithmetic arithmetic = (Arithmetic) expression;
        return Operators.arithmetic(
                arithmetic.operator(), evaluate(arithmetic.left(), scope), evaluate(arithmetic.right(), scope), budget);
    }

    private Map<@Nullable Object, @Nullable Object> evaluateMap(MapLiteral map, Scope scope) {
        budget.items(map.entries().size());
        Map<@Nullable Object, @Nullable Object> values = new LinkedHashMap<>();
        for (MapLiteral.Entry entry : map.entries()) {
            values.put(Values.requireKey(evaluate(entry.key(), scope)), evaluate(entry.value(), scope));
        }

        return values;
    }

    private List<@Nullable Object> evaluateAll(List<Expression> expressions, Scope scope) {
        budget.steps(expressions.size());
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }

        return values;
    }

    private Object slice(Slice slice, Scope scope) {
        return Fields.slice(
                evaluate(slice.target(), scope),
                evaluateOptional(slice.from(), scope),
                evaluateOptional(slice.to(), scope),
                evaluateOptional(slice.step(), scope),
                budget);
    }

    private @Nullable Object evaluateOptional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }

    private boolean compare(Comparison comparison, Scope scope) {
        Object left = evaluate(comparison.first(), scope);
        for (Comparison.Step step : comparison.steps()) {
            Object right = evaluate(step.value(), scope);
            if (!Operators.compare(step.operator(), left, right, budget)) {
                return false;
            }

            left = right;
        }

        return true;
    }

    private @Nullable Object choose(Conditional conditional, Scope scope) {
        if (isTrue(conditional.condition(), scope)) {
            return evaluate(conditional.value(), scope);
        }

        return conditional.otherwise() == null
                ? new Undefined("the value of an if without else")
                : evaluate(conditional.otherwise(), scope);
    }

    private @Nullable Object call(Call call, Scope scope) {
        Object function = evaluate(call.function(), scope);
        if (function instanceof TemplateFunction callable) {
            CallArguments arguments = arguments(call.arguments(), scope);
            return callable.call(arguments.positional(), arguments.named());
        }

        throw new EvaluationException("cannot call a " + Values.kind(function));
    }

    private CallArguments arguments(Arguments arguments, Scope scope) {
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        for (Map.Entry<String, Expression> argument : arguments.named().entrySet()) {
            named.put(argument.getKey(), evaluate(argument.getValue(), scope));
        }

        return new CallArguments(evaluateAll(arguments.positional(), scope), named, budget);
    }
}
