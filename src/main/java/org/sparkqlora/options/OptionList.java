package org.sparkqlora.options;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.IParamLabelRenderer;
import picocli.CommandLine.Help.Layout;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options in help, by groups: the common ones on a line each, or all of them in full for {@code --help-all}. */
public final class OptionList implements IHelpSectionRenderer {
    public static final String ALL = "--help-all";

    private static final Pattern SENTENCE = Pattern.compile("(?<=[^.]\\.) ");

    /** Without what is explained of it. */
    private static final Pattern DEFAULT = Pattern.compile("Default: ([^.:(]+(?:\\.\\d+)?)");

    /** Whether a command line asks for the help of all options. */
    public static boolean isAsked(ParseResult line) {
        return line.hasMatchedOption(ALL);
    }

    @Override
    public String render(Help help) {
        CommandSpec command = help.commandSpec();
        boolean all = isAsked(command.commandLine().getParseResult());
        List<OptionSpec> shown = command.options().stream()
                .filter(option -> !option.hidden())
                .filter(option -> all || OptionGroup.isCommon(option, command))
                .map(option -> all ? option : shortened(option))
                .toList();
        Map<OptionGroup, List<OptionSpec>> groups =
                shown.stream().collect(Collectors.groupingBy(OptionGroup::of, TreeMap::new, Collectors.toList()));
        StringBuilder text = new StringBuilder();
        groups.forEach((group, options) -> {
            if (groups.size() > 1) {
                text.append(group.heading()).append(System.lineSeparator());
            }

            Layout layout = help.createDefaultLayout(shown, List.of(), help.colorScheme()); // the same columns in each
            layout.addAllOptions(options, new Label(help.colorScheme()));
            text.append(layout);
        });
        return text.toString();
    }

    /** With the first sentence of its description, and its default in brackets. */
    private static OptionSpec shortened(OptionSpec option) {
        String text = String.join(" ", option.description());
        Matcher initial = DEFAULT.matcher(text);
        String first = SENTENCE.split(text, 2)[0];
        return option.toBuilder()
                .description(initial.find() ? first + " [" + initial.group(1) + "]" : first)
                .build();
    }

    /** {@code =PATH}, without how often it may be given. */
    private record Label(ColorScheme colors) implements IParamLabelRenderer {
        @Override
        public Text renderParameterLabel(ArgSpec argument, Ansi ansi, List<IStyle> styles) {
            String value = "=" + argument.paramLabel();
            return colors.text(
                    argument.arity().max() == 0 ? "" : argument.arity().min() == 0 ? "[" + value + "]" : value);
        }

        @Override
        public String separator() {
            return "";
        }
    }
}
