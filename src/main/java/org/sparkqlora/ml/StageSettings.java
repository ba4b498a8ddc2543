package org.sparkqlora.ml;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Setting;
import org.sparkqlora.options.Settings;
import org.sparkqlora.options.Settings.CommandKind;

/** The options of commands, read once. */
final class StageSettings {
    private static final Map<CommandKind, List<Setting>> ALL = read();

    private StageSettings() {}

    static List<Setting> of(CommandKind command) {
        return ALL.getOrDefault(command, List.of());
    }

    /** Throws if a command line would not read {@code value}, or if it is not of its kind. */
    static void requireValid(CommandKind command, Setting setting, Object value) {
        Class<?> expected = ParamValue.type(setting.kind());
        if (!expected.isInstance(value)) {
            throw new BadInputException("%s: expected %s, found %s (%s)"
                    .formatted(
                            setting.name(),
                            expected.getSimpleName(),
                            value,
                            value.getClass().getSimpleName()));
        }

        if (!String.valueOf(value).equals(setting.initial())) {
            requireRead(command, setting, value);
        }
    }

    private static void requireRead(CommandKind command, Setting setting, Object value) {
        Settings.of(command).problem(setting.arguments(value)).ifPresent(problem -> {
            throw new BadInputException(problem.replace(setting.option(), setting.name()));
        });
    }

    private static Map<CommandKind, List<Setting>> read() {
        Map<CommandKind, List<Setting>> all = new EnumMap<>(CommandKind.class);
        for (CommandKind command : CommandKind.values()) {
            all.put(command, Settings.of(command).all());
        }

        return all;
    }
}
