package org.sparkqlora;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * Numbers are formatted with {@code Locale.ROOT}: under the locales of Egypt or Iran, {@code formatted} writes others' digits into the
 * names of tensors and files. The messages of exceptions are free, since no machine reads them.
 */
class NumberFormatTest {
    private static final Path SOURCES = Path.of("src", "main");
    private static final Pattern NUMBER = Pattern.compile("%(\\d+\\$)?[-#+ 0,(]*\\d*(\\.\\d+)?[dfeEgG]");

    @Test
    void numbersOutsideOfExceptionsAreFormattedWithTheRootLocale() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources()));
            Finder finder = new Finder(Trees.instance(task).getSourcePositions());
            for (CompilationUnitTree unit : task.parse()) {
                finder.scan(unit, null);
            }

            assertThat(finder.found).isEmpty();
        }
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    /** Finds formats of numbers that take the default locale. */
    private static final class Finder extends TreePathScanner<Void, Void> {
        private final SourcePositions positions;
        private final List<String> found = new ArrayList<>();

        Finder(SourcePositions positions) {
            this.positions = positions;
        }

        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Void none) {
            if (call.getMethodSelect() instanceof MemberSelectTree select && takesDefaultLocale(select, call)) {
                CompilationUnitTree unit = getCurrentPath().getCompilationUnit();
                long line = unit.getLineMap().getLineNumber(positions.getStartPosition(unit, call));
                found.add("%s:%s".formatted(unit.getSourceFile().getName(), Long.toString(line)));
            }

            return super.visitMethodInvocation(call, none);
        }

        private boolean takesDefaultLocale(MemberSelectTree select, MethodInvocationTree call) {
            if (select.getIdentifier().contentEquals("formatted")) {
                return NUMBER.matcher(text(select.getExpression())).find() && !isOfAnException(getCurrentPath());
            }

            return select.toString().equals("String.format")
                    && !call.getArguments().get(0).toString().equals("Locale.ROOT");
        }

        /** Of literals; a format that is made elsewhere is not seen. */
        private static String text(ExpressionTree format) {
            if (format instanceof ParenthesizedTree inside) {
                return text(inside.getExpression());
            }

            if (format instanceof BinaryTree sum) {
                return text(sum.getLeftOperand()) + text(sum.getRightOperand());
            }

            return format instanceof LiteralTree literal ? String.valueOf(literal.getValue()) : "";
        }

        private static boolean isOfAnException(TreePath path) {
            for (Tree tree : path) {
                if (tree instanceof NewClassTree made
                        && made.getIdentifier().toString().matches(".*(Exception|Error)")) {
                    return true;
                }
            }

            return false;
        }
    }
}
