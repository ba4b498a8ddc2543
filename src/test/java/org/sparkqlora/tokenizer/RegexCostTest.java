package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

class RegexCostTest {
    /** A name, a tab and an expression a line. */
    private static final Path OF_MODELS = Path.of("src", "test", "resources", "tokenizer-expressions.tsv");

    @TempDir
    private Path folder;

    static Stream<String> ofModels() throws IOException {
        return Files.readAllLines(OF_MODELS).stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ofModels")
    void theExpressionsOfKnownModelsAreRead(String line) throws RegexException {
        RegexCost cost = RegexParser.cost(line.substring(line.indexOf('\t') + 1));

        assertThat(cost.scans()).isLessThanOrEqualTo(256);
        assertThat(cost.tries()).isLessThan(1_000);
        assertThat(cost.mixed()).isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "(a+)+b",
                "(a|a)*b",
                "a*a*a*b",
                "a*a*b",
                "\\w+\\w++c",
                "(\\w+\\s?)*x",
                "(?:a|ab)+c",
                "(a*)*",
                "(?:a{1,3})+b",
                "a{1,3}+b",
                "(?:(?:a|b)+c)+d",
                "(?:a+){2}b",
                "a{1,2000}b",
                "a{2000,}b",
                "\\s+(?=\\s+x)",
                "\\s+(?!\\s*x)",
                "a+(?>b+c)",
                "x(?<=a+)",
                "(?:^)*a",
                "[a-z&&[^b]]+a+c",
                "(?i:[\u00df])+x",
                "(?x)a +b",
                "(a)\\1+",
                "(?<x>a)\\k<x>",
                "(?<x>a|b\\g<x>c)",
                "(?~ab)",
                "(?(<x>)a|b)",
                "\\X+b",
                "*a",
                "a)",
                "(a",
                "[a"
            })
    void whatMayGoBackWithoutEndOrIsNotKnownIsRefused(String expression) {
        assertThatThrownBy(() -> RegexParser.cost(expression))
                .isInstanceOf(RegexException.class)
                .hasMessageMatching("(two|an|a|groups|classes|')[ '].*|'.*");
    }

    @Test
    void groupsAndClassesAreNestedSoFarAndNoFurther() throws RegexException {
        assertThat(RegexParser.cost("(".repeat(50) + "a" + ")".repeat(50)).tries())
                .isEqualTo(1);
        assertThatThrownBy(() -> RegexParser.cost("(".repeat(9_000)))
                .isInstanceOf(RegexException.class)
                .hasMessage("groups nested more than 50 deep");
        assertThatThrownBy(() -> RegexParser.cost("[".repeat(9_000)))
                .isInstanceOf(RegexException.class)
                .hasMessage("classes nested more than 20 deep");
    }

    /** Expression, scans, whether one goes over blanks and others. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '~',
            value = {
                "a+~0~false",
                "a*b*~0~false",
                "a+b|a+~1~false",
                "a+b|a+c|x?a+~2~false",
                "a+b|a|a+~32~false",
                "a+b~32~false",
                "x?a+b|a+~2~false",
                "a+(?:b|cd|e)|a+~4~false",
                "a++b|a+~1~false",
                "a++b+c|a+~64~false",
                "a?b?a++c|a+~4~false",
                "(?:abc)+~0~false",
                "(?:(?!ab|ac)a)+~5~false",
                "(?:(?>a|b)c)+x~96~false",
                "((?=[\\p{L}])([^a-z]))+~2~true",
                "(?=a+)|a+~1~false",
                "a+b+|a+~1~false",
                "[\\s\\S]+?x~32~true",
                "(?:a )+x~32~true",
                "[^\\r\\n]+$|[^\\r\\n]+~1~true",
                "[^\\s\\d]+$|[^\\s\\d]+~1~false",
                "[^\\S\\n]+$|[^\\S\\n]+~1~false"
            })
    void eachWayToGiveBackARunCounts(String expression, long scans, boolean mixed) throws RegexException {
        RegexCost cost = RegexParser.cost(expression);

        assertThat(cost.scans()).isEqualTo(scans);
        assertThat(cost.mixed()).isEqualTo(mixed);
    }

    @Test
    void theNativeLibraryLivesOnWithTheLongestTexts() throws Exception {
        Path log = folder.resolve("searches.log");
        List<String> arguments = List.of(folder.toString(), OF_MODELS.toString());
        Process process = new ProcessBuilder(ChildJvm.command(List.of(), RegexSearches.class, arguments))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();

        assertThat(process.waitFor()).as("%s", Files.readString(log)).isZero();
        assertThat(Files.readString(log))
                .contains("GPT-2\n", "Kimi K2\n", "Qwen3.5\n")
                .endsWith("all searched\n");
    }
}
