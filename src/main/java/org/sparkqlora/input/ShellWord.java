package org.sparkqlora.input;

import java.util.regex.Pattern;

/** Words of commands that people copy into a shell. */
public final class ShellWord {
    private static final Pattern PLAIN = Pattern.compile("[\\w@%+=:,./-]+");

    private ShellWord() {}

    /** The word as a shell reads it back: in single quotes where it has other characters than names have ({@code shlex.quote} of Python). */
    public static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'%s'".formatted(word.replace("'", "'\"'\"'"));
    }
}
