package org.sparkqlora.data;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.Locale;

/** The problem of a JSON text that cannot be parsed. Jackson tells no place where a limit of its own was met, such as that of nesting. */
public final class BrokenJson {
    private BrokenJson() {}

    /** The end of a sentence: {@code at line 3: what}, or {@code : what}. */
    public static String text(JsonProcessingException fault) {
        JsonLocation place = fault.getLocation();
        String what = what(fault);
        return place == null ? ": " + what : String.format(Locale.ROOT, " at line %d: %s", place.getLineNr(), what);
    }

    /** Without the place where an open bracket began: Jackson quotes the source for it, in words that change with its version. */
    public static String what(JsonProcessingException fault) {
        return fault.getOriginalMessage().replaceFirst(" \\(start marker at .*", "");
    }
}
