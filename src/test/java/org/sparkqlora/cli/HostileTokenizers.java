package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.ModelTokenizer;

/**
 * Reads damaged {@code tokenizer.json}s in a process of its own: the native library may end it. Arguments are a folder to
 * work in, the first seed, how many, and folders of good ones; each seed is printed before its file is read.
 */
final class HostileTokenizers {
    private static final String TEXT = "The owl says hoot.  \u00c4\u6f22\ud83e\udd89 <|im_start|>user\n12345 </s>";

    /** Stands for the vocabulary while the rest is damaged. */
    private static final String PLACE = "\"model\":0}";

    private HostileTokenizers() {}

    public static void main(String[] arguments) throws IOException {
        for (int i = 3; i < arguments.length; i++) {
            Path good = Path.of(arguments[i]);
            Path folder = Files.createDirectory(Path.of(arguments[0]).resolve(good.getFileName()));
            damage(good, folder, Long.parseLong(arguments[1]), Long.parseLong(arguments[2]));
        }
    }

    private static void damage(Path goodFolder, Path folder, long first, long count) throws IOException {
        try (Stream<Path> files = Files.list(goodFolder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }

        Path file = folder.resolve("tokenizer.json");
        byte[] good = Files.readAllBytes(file);
        if (!isRead(folder)) {
            throw new IllegalArgumentException("Cannot damage " + file + ": expected a good one");
        }

        long refused = 0;
        for (long seed = first; seed < first + count; seed++) {
            System.out.println(seed);
            Files.write(file, damaged(good, seed));
            refused += isRead(folder) ? 0 : 1;
        }

        System.out.println("refused " + refused);
    }

    /** Half of them before the vocabulary alone, where damage is more often read than refused. */
    private static byte[] damaged(byte[] good, long seed) {
        Mutation mutation = new Mutation(new SplittableRandom(seed));
        int model = new String(good, StandardCharsets.ISO_8859_1).indexOf("\"model\"");
        if (seed % 2 == 0 || model < 0) {
            return mutation.ofText(good);
        }

        byte[] head = (new String(good, 0, model, StandardCharsets.UTF_8) + PLACE).getBytes(StandardCharsets.UTF_8);
        String vocabulary = new String(good, model, good.length - model, StandardCharsets.UTF_8);
        return new String(mutation.ofText(head), StandardCharsets.UTF_8)
                .replace(PLACE, vocabulary)
                .getBytes(StandardCharsets.UTF_8);
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
