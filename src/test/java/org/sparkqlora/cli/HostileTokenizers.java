package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.ModelTokenizer;

/**
 * Reads damaged {@code tokenizer.json}s in a process of its own: the native library may end it. Arguments are the folder of a
 * good one, a folder to work in, the first seed and how many; each seed is printed before its file is read.
 */
final class HostileTokenizers {
    private static final String TEXT = "The owl says hoot.  \u00c4\u6f22\ud83e\udd89 <|im_start|>user\n12345 </s>";

    private HostileTokenizers() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[1]);
        try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }

        Path file = folder.resolve("tokenizer.json");
        byte[] good = Files.readAllBytes(file);
        long first = Long.parseLong(arguments[2]);
        long refused = 0;
        for (long seed = first; seed < first + Long.parseLong(arguments[3]); seed++) {
            System.out.println(seed);
            Files.write(file, new Mutation(new SplittableRandom(seed)).ofText(good));
            refused += isRead(folder) ? 0 : 1;
        }

        System.out.println("refused " + refused);
    }

    private static boolean isRead(Path folder) {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder)) {
            int[] ids = tokenizer.encode(TEXT);
            return !tokenizer.decodeWithSpecials(ids).equals("x");
        } catch (BadInputException e) {
            return false;
        }
    }
}
