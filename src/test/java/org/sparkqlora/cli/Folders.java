package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Folders that tests delete or compare as a whole. */
public final class Folders {
    private Folders() {}

    /** Deletes a file or a folder with all in it, if it is there. */
    public static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }

        for (Path inside : tree(path)) {
            Files.delete(inside);
        }
    }

    /** Gives a folder the name under which others look for it, who may make one at the same time: the first stays, the others go. */
    static void publish(Path fresh, Path name) throws IOException {
        try {
            Files.move(fresh, name, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) { // Java has no class for what Linux says of a folder with something in it
            if (!Files.isDirectory(name)) {
                throw e;
            }

            delete(fresh);
        }
    }

    /** The bytes of every file, as text that compares them, by its path in {@code folder}. */
    static Map<String, String> content(Path folder) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (Path path : tree(folder)) {
            if (Files.isRegularFile(path)) {
                content.put(folder.relativize(path).toString(), HexFormat.of().formatHex(Files.readAllBytes(path)));
            }
        }

        return content;
    }

    private static List<Path> tree(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
