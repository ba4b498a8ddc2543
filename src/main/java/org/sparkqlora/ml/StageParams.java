package org.sparkqlora.ml;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Setting;
import org.sparkqlora.options.Settings;
import scala.Function1;

/**
 * The params of a stage: one for each option of a command that means something there, and columns. MLlib would find params by public
 * methods that return them, so that each would be written twice.
 */
final class StageParams implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Params stage;
    private final Map<String, Param<?>> byName = new LinkedHashMap<>();
    private final Map<String, OwnedSetting> settings = new LinkedHashMap<>();

    /** A setting of a command. */
    private record OwnedSetting(Settings command, Setting setting) implements Serializable {}

    /** None yet of {@code stage}, which has its uid. */
    StageParams(Params stage) {
        this.stage = stage;
    }

    /** Adds the settings of {@code command} that are not there yet, but for those in {@code left}. */
    StageParams with(Settings command, Set<String> left) {
        for (Setting setting : command.all()) {
            if (!left.contains(setting.name()) && !byName.containsKey(setting.name())) {
                settings.put(setting.name(), new OwnedSetting(command, setting));
                add(param(command, setting));
                setDefault(setting);
            }
        }

        return this;
    }

    /** Adds the name of a column; an empty {@code initial} is none. */
    StageParams withColumn(String name, String doc, String initial) {
        Param<String> column = new Param<>(stage, name, doc);
        add(column);
        if (!initial.isEmpty()) {
            stage.setDefault(column, initial);
        }

        return this;
    }

    /** Adds a list of texts. */
    StageParams withList(String name, String doc) {
        add(new StringArrayParam(stage, name, doc));
        return this;
    }

    /** Whether there is a param of that name. */
    boolean has(String name) {
        return byName.containsKey(name);
    }

    Param<?>[] all() {
        return byName.values().toArray(Param<?>[]::new);
    }

    /** These behind {@code own}, which the stage has from a class of MLlib. */
    Param<?>[] after(Param<?>... own) {
        return Stream.concat(Arrays.stream(own), byName.values().stream()).toArray(Param<?>[]::new);
    }

    Param<?> find(String name) {
        Param<?> param = byName.get(name);
        if (param == null) {
            throw new NoSuchElementException(
                    "Cannot find param %s: expected one of %s".formatted(name, byName.keySet()));
        }

        return param;
    }

    <P extends Param<?>> P find(String name, Class<P> type) {
        return type.cast(find(name));
    }

    /** Sets a param to {@code value} as its type has it: a whole number is a number, one text is a list too. */
    void set(String name, Object value) {
        OwnedSetting owned = settings.get(name);
        put(find(name), owned == null ? unowned(name, value) : ParamValue.of(owned.setting(), value));
    }

    private Object unowned(String name, Object value) {
        return find(name) instanceof StringArrayParam ? ParamValue.list(value) : String.valueOf(value);
    }

    /** As {@link #set}, also of a param that the stage has from a class of MLlib. */
    void setAny(String name, Object value) {
        if (byName.containsKey(name)) {
            set(name, value);
        } else {
            put(stage.getParam(name), value);
        }
    }

    /** The value of a text param, given or by default. */
    Optional<String> text(String name) {
        return value(name).map(String::valueOf).filter(text -> !text.isEmpty());
    }

    /** The value of a list param; empty if it is not given. */
    List<String> list(String name) {
        return value(name).map(value -> List.of((String[]) value)).orElse(List.of());
    }

    boolean isSet(String name) {
        return stage.isSet(find(name));
    }

    /** The values of all settings of {@code command} that were set, but for those in {@code left}. */
    Map<String, Object> values(Settings command, Collection<String> left) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Setting setting : command.all()) {
            String name = setting.name();
            if (byName.containsKey(name) && !left.contains(name) && isSet(name)) {
                values.put(name, value(name).orElseThrow());
            }
        }

        return values;
    }

    /** The columns that {@code checking} finds; what it refuses is told with the names of params instead of those of options. */
    StructType columns(String what, Supplier<StructType> checking) {
        try {
            return checking.get();
        } catch (IllegalArgumentException e) {
            throw refused(what, e);
        }
    }

    private IllegalArgumentException refused(String what, IllegalArgumentException thrown) {
        String message = String.valueOf(thrown.getMessage());
        List<Setting> longestFirst = settings.values().stream()
                .map(OwnedSetting::setting)
                .sorted(Comparator.comparing(
                                (Setting setting) -> setting.option().length())
                        .reversed())
                .toList();
        for (Setting setting : longestFirst) {
            message = message.replace(setting.option(), setting.name());
        }

        return new BadInputException("Cannot %s: %s".formatted(what, message), thrown);
    }

    private Optional<Object> value(String name) {
        Param<?> param = find(name);
        return stage.isDefined(param) ? Optional.of(stage.getOrDefault(param)) : Optional.empty();
    }

    private void add(Param<?> param) {
        byName.put(param.name(), param);
    }

    private void setDefault(Setting setting) {
        String initial = setting.kind() == Setting.Kind.FLAG ? "false" : setting.initial();
        if (initial != null) {
            putDefault(find(setting.name()), ParamValue.of(setting, initial));
        }
    }

    @SuppressWarnings("unchecked")
    private <T> void put(Param<T> param, Object value) {
        stage.set(param, (T) value);
    }

    @SuppressWarnings("unchecked")
    private <T> void putDefault(Param<T> param, Object value) {
        stage.setDefault(param, (T) value);
    }

    private Param<?> param(Settings command, Setting setting) {
        String name = setting.name();
        String doc = setting.description();
        return switch (setting.kind()) {
            case INTEGER -> new IntParam(stage, name, doc, check(command, setting));
            case LONG -> new LongParam(stage, name, doc, check(command, setting));
            case DOUBLE -> new DoubleParam(stage, name, doc, check(command, setting));
            case FLAG -> new BooleanParam(stage, name, doc);
            case TEXT -> new Param<String>(stage, name, doc, check(command, setting));
            case LIST -> new StringArrayParam(stage, name, doc, check(command, setting));
        };
    }

    /** Refuses a value with a better message than MLlib's. */
    private static <T> Function1<T, Object> check(Settings command, Setting setting) {
        return value -> {
            ParamValue.requireValid(command, setting, value);
            return true;
        };
    }
}
