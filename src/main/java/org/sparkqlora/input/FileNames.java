package org.sparkqlora.input;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Names of files as this process can read and write them. Java decodes names with the character set of the locale; in the locale
 * C, names outside ASCII become question marks, and two of them one.
 *
 * @param characters the set that names are decoded with
 */
public record FileNames(Charset characters) {
    private static final char UNDECODED = '\uFFFD';
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    /** Those of this process. */
    public static FileNames ofProcess() {
        return new FileNames(Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
    }

    /** The problem with the arguments of this process, on systems that tell its command line as it was written. */
    public Optional<String> problemOf(List<String> arguments) {
        if (!Files.isReadable(COMMAND_LINE)) {
            return Optional.empty();
        }

        try {
            return problemOf(arguments, Files.readAllBytes(COMMAND_LINE));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + COMMAND_LINE, e);
        }
    }

    Optional<String> problemOf(List<String> arguments, byte[] commandLine) {
        Optional<String> undecoded = arguments.stream()
                .filter(argument -> argument.indexOf(UNDECODED) >= 0 || argument.indexOf('?') >= 0)
                .findFirst();
        boolean written =
                new String(commandLine, StandardCharsets.ISO_8859_1).chars().anyMatch(c -> c >= 0x80);
        return characters.equals(StandardCharsets.UTF_8) || !written
                ? Optional.empty()
                : undecoded.map(argument -> "Cannot read the argument '%s': %s".formatted(argument, expected()));
    }

    /** Refuses a path that this process would write as another. */
    public void requireWritable(String path) {
        if (!characters.newEncoder().canEncode(path)) {
            throw new BadInputException("Cannot use the path '%s': %s".formatted(path, expected()));
        }
    }

    /** Refuses a folder with a name in it or below that cannot be decoded: such a file is left out of every listing. */
    public void requireDecodedBelow(Path folder) {
        try (Stream<Path> all = Files.walk(folder.toRealPath())) {
            all.forEach(this::requireDecoded);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }
    }

    /** Refuses a name that could not be decoded. */
    public void requireDecoded(Path file) {
        Path name = file.getFileName();
        if (name == null || name.toString().indexOf(UNDECODED) < 0) {
            return;
        }

        throw new BadInputException(
                characters.equals(StandardCharsets.UTF_8)
                        ? "Cannot read the name of %s: expected UTF-8. Rename the file".formatted(file)
                        : "Cannot read the name of %s: %s".formatted(file, expected()));
    }

    private String expected() {
        return "expected a locale that has its characters, found %s. Set the environment variable LC_ALL to C.UTF-8, on executors by --conf spark.executorEnv.LC_ALL=C.UTF-8"
                .formatted(characters);
    }
}
