package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** A chat template that grows, nests, loops, searches or fails ends a command with 64 and one line. */
@Timeout(600)
class HostileTemplatesTest {
    private static final String CONVERSATION =
            "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}";

    @TempDir
    private Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    static Stream<Arguments> templates() {
        String grown =
                "{% set ns = namespace(x='ab') %}{% for i in range(22) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
        return Stream.of(
                Arguments.of("grows", grown.replace("22", "31"), "expected at most 33554432 chars of text"),
                Arguments.of("indents", "{{ messages|tojson(indent=2147483647) }}", "expected at most 33554432 chars"),
                Arguments.of("nests", "{{ " + "1+".repeat(30_000) + "1 }}", "expected at most 200 levels of nesting"),
                Arguments.of("calls itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "at most 800 levels"),
                Arguments.of(
                        "loops",
                        "{% for i in range(4000000) %}{% endfor %}",
                        "expected at most 4194304 items of lists"),
                Arguments.of(
                        "searches",
                        grown + "{{ (ns.x[:1000000] ~ 'c') in ns.x }}",
                        "expected at most 33554432 steps of work"),
                Arguments.of("splits", "{{ ('a ' * 5000000).split() }}", "expected at most 4194304 items of lists"),
                Arguments.of("fails", "{% for m in messages %}{{ loop.cycle() }}{% endfor %}", "loop.cycle expects"),
                Arguments.of(
                        "mixes keys", "{{ {1: 2, 'a': 3}|tojson(sort_keys=true) }}", "cannot compare a string with"),
                Arguments.of("escapes", "{{ '\\Uffffffff' }}", "expected an escape up to"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("templates")
    void endWithOneLine(String what, String template, String problem) throws IOException {
        Path model = folder.resolve("model");
        DemoModel.write(model, 1);
        Path data = Files.writeString(folder.resolve("data.jsonl"), CONVERSATION + "\n");
        Path file = Files.writeString(folder.resolve("hostile.jinja"), template);
        Path output = folder.resolve("rows");

        CommandRun run = CommandRun.of(
                "prepare",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--chat-template",
                file.toString(),
                "--output",
                output.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        List<String> refusals =
                run.err().lines().filter(line -> line.contains("prepare: ")).toList();
        assertThat(refusals).singleElement().asString().contains("template", ", line 1: ", problem);
        assertThat(run.err()).doesNotContain("\tat ", "Exception");
        assertThat(output).doesNotExist();
    }
}
