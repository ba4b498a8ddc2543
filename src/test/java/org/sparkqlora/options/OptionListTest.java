package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.RootCommand;
import org.sparkqlora.command.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class OptionListTest {
    private static final int SCREEN = 40;

    private static final List<String> HEADINGS =
            Arrays.stream(OptionGroup.values()).map(OptionGroup::heading).toList();

    @Test
    void theHelpOfTrainFitsOnAScreenWithALineAnOption() {
        List<String> lines = CommandRun.of("train", "--help").out();

        assertThat(lines).hasSizeLessThanOrEqualTo(SCREEN);
        assertThat(lines.subList(2, lines.size() - 1))
                .allMatch(line -> HEADINGS.contains(line) || line.startsWith("--", 6));
        assertThat(lines)
                .contains("      --rank=R                   Rank of the adapters. [16]")
                .contains(
                        "*     --data=PATH                Files, folders, globs or tables, or a folder that 'prepare' made.")
                .noneMatch(line -> line.contains("--adam-beta1"));
    }

    @Test
    void optionsComeInGroups() {
        assertThat(CommandRun.of("train", "--help").out().stream().filter(HEADINGS::contains))
                .containsExactlyElementsOf(HEADINGS.subList(0, HEADINGS.size() - 1));
        assertThat(CommandRun.of("train", "--help-all").out().stream().filter(HEADINGS::contains))
                .containsExactlyElementsOf(HEADINGS);
        assertThat(CommandRun.of("gate", "--help").out()).doesNotContainAnyElementsOf(HEADINGS);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theHelpOfAllHasEveryOption(CommandSpec command) {
        CommandRun run = CommandRun.of(command.name(), "--help-all");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(names(run))
                .isEqualTo(
                        command.options().stream().map(OptionSpec::longestName).collect(Collectors.toSet()));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theShortHelpHasWhatACommandNeeds(CommandSpec command) {
        assertThat(names(CommandRun.of(command.name(), "--help")))
                .containsAll(command.options().stream()
                        .filter(OptionSpec::required)
                        .map(OptionSpec::longestName)
                        .toList());
    }

    @Test
    void theHelpOfAllTellsDetailsAndDefaults() {
        assertThat(String.join("\n", CommandRun.of("train", "--help-all").out()))
                .contains("nf4 has levels for normally distributed weights.", "Default: 2e-4;");
    }

    private static Stream<CommandSpec> commands() {
        return RootCommand.commandLine().getSubcommands().values().stream().map(command -> command.getCommandSpec());
    }

    /** The options that lines of help begin with. */
    private static Set<String> names(CommandRun help) {
        return help.out().stream()
                .map(line -> line.replaceFirst("^[* ] (-.,|   ) (--[a-z0-9-]+).*", "$2"))
                .filter(line -> line.startsWith("--"))
                .collect(Collectors.toSet());
    }
}
