package org.sparkqlora.tensor.cuda;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.util.List;
import java.util.Optional;

/** Looks for a library under several names. */
final class SharedLibrary {
    private SharedLibrary() {}

    /** The first of {@code names}, each a path or a name that the system finds, that can be loaded. */
    static <T extends Library> Optional<T> firstOf(List<String> names, Class<T> type) {
        return names.stream().flatMap(name -> load(name, type).stream()).findFirst();
    }

    private static <T extends Library> Optional<T> load(String name, Class<T> type) {
        try {
            return Optional.of(Native.load(name, type));
        } catch (UnsatisfiedLinkError e) {
            return Optional.empty(); // the caller tells all names when there is none
        }
    }
}
