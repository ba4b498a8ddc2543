package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.data.jinja.Expression.Arguments;
import org.sparkqlora.data.jinja.Token.Kind;

/** Arguments in parentheses: values first, then those with a name. */
record ArgumentsParser(TokenCursor tokens, ExpressionParser expressions) {
    /** The arguments, if a parenthesis follows. */
    Arguments parseOptional() {
        return tokens.takeOperator("(") ? parse() : Arguments.NONE;
    }

    /** The arguments after an opening parenthesis. */
    Arguments parse() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.takeOperator(")")) {
            tokens.expectComma(positional.isEmpty() && named.isEmpty());
            if (tokens.takeOperator(")")) {
                break;
            }

            parseArgument(positional, named);
        }

        return new Arguments(positional, named);
    }

    private void parseArgument(List<Expression> positional, Map<String, Expression> named) {
        if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
            String name = tokens.next().text();
            tokens.next();
            named.put(name, expressions.parse());
        } else if (named.isEmpty()) {
            positional.add(expressions.parse());
        } else {
            throw tokens.unexpected("name=value after another argument of this form");
        }
    }
}
