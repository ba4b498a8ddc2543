package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.stream.Stream;

/** Looks for {@code {% generation %}} anywhere in a template. */
final class GenerationSearch {
    private GenerationSearch() {}

    static boolean isIn(List<Statement> body) {
        return body.stream().anyMatch(GenerationSearch::isIn);
    }

    private static boolean isIn(Statement statement) {
        return statement instanceof Statement.Generation || bodies(statement).anyMatch(GenerationSearch::isIn);
    }

    private static Stream<List<Statement>> bodies(Statement statement) {
        if (statement instanceof Statement.If choice) {
            return Stream.concat(
                    choice.branches().stream().map(Statement.If.Branch::body), Stream.of(choice.otherwise()));
        }

        if (statement instanceof Statement.For loop) {
            return Stream.of(loop.body(), loop.otherwise());
        }

        return statement instanceof Statement.Macro macro ? Stream.of(macro.body()) : Stream.empty();
    }
}
