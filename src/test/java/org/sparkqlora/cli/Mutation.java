package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Files damaged in the ways of broken disks, cut downloads and people who mean harm. */
final class Mutation {
    /** Lengths and offsets that overflow, or promise more than there is. */
    private static final long[] LENGTHS = {
        -1,
        0,
        1,
        255,
        Short.MAX_VALUE,
        Integer.MAX_VALUE,
        1L << 31,
        1L << 32,
        1L << 40,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        7
    };

    private static final List<String> TOKENS = List.of(
            "-1",
            "0",
            "1e999",
            "NaN",
            "2147483648",
            "9223372036854775807",
            "18446744073709551616",
            "1" + "0".repeat(900),
            "0.1",
            "null",
            "true",
            "\"\"",
            "\"../../etc/passwd\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "[]",
            "{}",
            "[".repeat(3000),
            "{\"a\":".repeat(3000),
            "\"" + "x".repeat(5000) + "\"",
            ",",
            "}");

    private final SplittableRandom random;

    Mutation(SplittableRandom random) {
        this.random = random;
    }

    /** One to three damages of any kind. */
    byte[] of(byte[] file) {
        byte[] damaged = file.clone();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            damaged = damage(damaged);
        }

        return damaged;
    }

    /** A mutation of characters, so that text stays text. */
    byte[] ofText(byte[] file) {
        return switch (random.nextInt(4)) {
            case 0 -> of(file);
            case 1 -> value(file);
            default -> JsonMutation.of(file, random).orElseGet(() -> value(file));
        };
    }

    private byte[] damage(byte[] file) {
        if (file.length < 16) {
            return Arrays.copyOf(file, random.nextInt(64));
        }

        return switch (random.nextInt(8)) {
            case 0 -> Arrays.copyOf(file, random.nextInt(file.length));
            case 1 -> splice(file, place(file), random.nextInt(64), new byte[0]);
            case 2 -> splice(file, place(file), 0, Arrays.copyOf(file, random.nextInt(64)));
            case 3 -> value(file);
            case 4 -> length(file);
            default -> bits(file);
        };
    }

    private byte[] bits(byte[] file) {
        for (int i = random.nextInt(1, 8); i > 0; i--) {
            file[place(file)] ^= (byte) (1 << random.nextInt(8));
        }

        return file;
    }

    private byte[] length(byte[] file) {
        long length = LENGTHS[random.nextInt(LENGTHS.length)];
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(Math.min(place(file), file.length - 8), length);
        return file;
    }

    /** In the place of a value of JSON's, if one follows. */
    private byte[] value(byte[] file) {
        if (file.length == 0) {
            return file;
        }

        int start = place(file);
        while (start < file.length - 1 && file[start] != ':' && file[start] != '[' && file[start] != ',') {
            start++;
        }

        int end = Math.min(file.length, start + 1);
        while (end < file.length && ",]}\n".indexOf(file[end]) < 0) {
            end++;
        }

        String token = TOKENS.get(random.nextInt(TOKENS.size()));
        return splice(file, Math.min(file.length, start + 1), end - start - 1, token.getBytes(StandardCharsets.UTF_8));
    }

    /** Most files say at their start what follows, so that damage there reaches further. */
    private int place(byte[] file) {
        int most = random.nextBoolean() ? Math.min(file.length, 512) : file.length;
        return random.nextInt(most);
    }

    private static byte[] splice(byte[] file, int at, int removed, byte[] added) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int end = Math.min(file.length, at + Math.max(0, removed));
        out.write(file, 0, at);
        out.writeBytes(added);
        out.write(file, end, file.length - end);
        return out.toByteArray();
    }
}
