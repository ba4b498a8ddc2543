package org.sparkqlora.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Field;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** A heading under which help and the manual list options, in their order. */
public enum OptionGroup {
    MODEL,
    DATA,
    ADAPTER,
    OBJECTIVE,
    OPTIMIZER,
    EVALUATION,
    RUN,
    WATCHING,
    CLUSTER,
    /** Options without a mark. */
    GENERAL;

    /** The group of an option, or of the options of a class that have none of their own. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.TYPE, ElementType.FIELD})
    public @interface In {
        OptionGroup value();
    }

    /** An option that {@code --help} lists, by the first sentence of its description. All others are in {@code --help-all} only. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.FIELD)
    public @interface Common {}

    public static OptionGroup of(OptionSpec option) {
        Field field = field(option);
        return Optional.ofNullable(field.getAnnotation(In.class))
                .or(() -> Optional.ofNullable(field.getDeclaringClass().getAnnotation(In.class)))
                .map(In::value)
                .orElse(GENERAL);
    }

    /** Whether an option of {@code command} is marked so, or is the command's own. */
    static boolean isCommon(OptionSpec option, CommandSpec command) {
        Field field = field(option);
        return field.isAnnotationPresent(Common.class)
                || field.getDeclaringClass() == command.userObject().getClass();
    }

    /** Its name in a file of options. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    public String heading() {
        return name().charAt(0) + key().substring(1);
    }

    private static Field field(OptionSpec option) {
        return (Field) option.userObject();
    }
}
