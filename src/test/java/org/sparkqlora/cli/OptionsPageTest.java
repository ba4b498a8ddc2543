package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.sparkqlora.options.OptionGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual's page of options, made of the commands themselves. {@code -Ddocs.write=true} writes it anew. */
class OptionsPageTest {
    private static final Path PAGE = Path.of("src", "docs", "options.md");
    private static final Pattern DEFAULT = Pattern.compile("\\s*Default: (.*)\\.$");
    private static final Set<String> STANDARD = Set.of("--help", "--version", "--result", "--config", "--help-all");

    @Test
    void thePageListsEveryOptionAsTheCommandsHaveIt() throws IOException {
        String page = page();
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(PAGE, page);
        }

        assertThat(PAGE)
                .as("made by: mvn -B -Pquick -Dtest=OptionsPageTest -Ddocs.write=true test")
                .hasContent(page);
    }

    @Test
    void everyOptionOfTrainHasAGroup() {
        assertThat(optionsOf(command("train")))
                .extracting(OptionGroup::of)
                .doesNotContain(OptionGroup.GENERAL)
                .contains(OptionGroup.MODEL, OptionGroup.CLUSTER);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("# Options\n\n");
        page.append("```bash\nspark-qlora train --help\n```\n\n");
        page.append(
                        "This page is made of the commands themselves. Every command also takes `--help` (the common options), `--help-all` (all of them), and two options:\n\n")
                .append(table(Stream.of("--config", "--result")
                        .map(name -> option(command("train"), name))
                        .toList()))
                .append('\n');
        page.append("## train\n\n").append(summary(command("train"))).append('\n');
        optionsOf(command("train")).stream()
                .collect(Collectors.groupingBy(OptionGroup::of, TreeMap::new, Collectors.toList()))
                .forEach((group, options) -> page.append("\n### %s\n\n%s".formatted(group.heading(), table(options))));
        RootCommand.commandLine().getSubcommands().forEach((name, line) -> {
            if (!name.equals("train")) {
                page.append(section(line.getCommandSpec()));
            }
        });
        return page.toString();
    }

    private static String section(CommandSpec command) {
        Set<String> ofTrain = optionsOf(command("train")).stream()
                .map(option -> option.longestName() + text(option))
                .collect(Collectors.toSet());
        List<OptionSpec> own = new ArrayList<>();
        List<String> shared = new ArrayList<>();
        for (OptionSpec option : optionsOf(command)) {
            if (ofTrain.contains(option.longestName() + text(option))) {
                shared.add("`" + option.longestName() + "`");
            } else {
                own.add(option);
            }
        }

        StringBuilder section = new StringBuilder("\n## " + command.name() + "\n\n")
                .append(summary(command))
                .append('\n');
        if (!own.isEmpty() || !command.positionalParameters().isEmpty()) {
            section.append('\n').append(parameters(command)).append(table(own));
        }

        if (!shared.isEmpty()) {
            section.append("\nAs `train`: ").append(String.join(", ", shared)).append(".\n");
        }

        return section.toString();
    }

    private static String parameters(CommandSpec command) {
        return command.positionalParameters().stream()
                .map(parameter -> "`%s`: %s\n\n".formatted(parameter.paramLabel(), text(parameter)))
                .collect(Collectors.joining());
    }

    private static String summary(CommandSpec command) {
        return escaped(String.join(" ", command.usageMessage().description()).replace("%n", "\n"));
    }

    private static String table(List<OptionSpec> options) {
        StringBuilder table = new StringBuilder();
        if (!options.isEmpty()) {
            table.append("| option | meaning | default |\n|---|---|---|\n");
        }

        for (OptionSpec option : options) {
            Matcher found = DEFAULT.matcher(text(option));
            boolean told = found.find();
            table.append("| `%s` | %s | %s |%n"
                    .formatted(
                            name(option),
                            told ? text(option).substring(0, found.start()) : text(option),
                            told ? found.group(1) : ""));
        }

        return table.toString();
    }

    private static String name(OptionSpec option) {
        return option.arity().max() == 0 ? option.longestName() : option.longestName() + " " + option.paramLabel();
    }

    private static String text(OptionSpec option) {
        return described(option.description(), option.defaultValue());
    }

    private static String text(PositionalParamSpec parameter) {
        return described(parameter.description(), parameter.defaultValue());
    }

    private static String described(String[] description, String defaultValue) {
        return escaped(
                String.join(" ", description).replace("${DEFAULT-VALUE}", defaultValue == null ? "" : defaultValue));
    }

    private static String escaped(String text) {
        return text.replace("|", "\\|")
                .replace("<", "&lt;")
                .replace("*", "\\*")
                .replace("[", "\\[")
                .replace("%%", "%");
    }

    private static OptionSpec option(CommandSpec command, String name) {
        return command.findOption(name);
    }

    private static List<OptionSpec> optionsOf(CommandSpec command) {
        return command.options().stream()
                .filter(option -> !STANDARD.contains(option.longestName()))
                .toList();
    }

    private static CommandSpec command(String name) {
        return RootCommand.commandLine().getSubcommands().entrySet().stream()
                .filter(found -> found.getKey().equals(name))
                .map(found -> found.getValue().getCommandSpec())
                .findFirst()
                .orElseThrow();
    }
}
