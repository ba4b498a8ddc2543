package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.weights.FolderCache;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A model on a hub, downloaded once to this host's disk. Only files that make up a model are taken, each is compared with the
 * hub's own checksum, and what a killed process left of a file is gone on with. Ranges come side by side.
 */
record HubModel(HubId id, HubAccess access, Path cache, HubClient client, Backoff backoff, int rangeBytes) {
    private static final int BUFFER = 1 << 20;

    public HubModel(HubId id, HubAccess access, Path cache) {
        this(id, access, cache, new HubClient(access), Backoff.DEFAULT, RangedFetch.RANGE);
    }

    /** This model at the commit of its revision now, or, offline, when the hub was last asked. */
    public HubId pinned() {
        if (id.isPinned()) {
            return id;
        }

        Path remembered = cache.resolve("hub-" + hash(access.endpoint() + " " + id) + ".commit");
        try {
            if (access.network() == HubAccess.Network.OFFLINE) {
                requireHere(remembered);
                return id.at(Files.readString(remembered).strip());
            }

            String commit = listing().commit();
            Files.createDirectories(cache);
            Files.writeString(remembered, commit);
            return id.at(commit);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for model %s on %s".formatted(id, access), e);
        }
    }

    /** The folder of a pinned model on this host, downloaded now if it is not there. */
    public Path folder() {
        String name = "hub-" + hash(id.toString());
        if (access.network() == HubAccess.Network.OFFLINE) {
            requireHere(cache.resolve(name));
        }

        return new FolderCache(cache, "cache of models from a hub").folder(name, this::write);
    }

    private void requireHere(Path path) {
        if (!Files.exists(path)) {
            throw new BadInputException(
                    "Cannot open model %s: expected a copy in %s, since HF_HUB_OFFLINE is set, found none"
                            .formatted(id, cache));
        }
    }

    private void write(Path target) {
        try {
            SortedMap<String, HubFile> files = new TreeMap<>();
            parts(listing().files()).forEach(file -> files.put(file.name(), file));
            SortedMap<String, Long> lengths = new TreeMap<>();
            files.forEach((name, file) -> lengths.put(name, file.size()));
            RangedFetch fetch = new RangedFetch(new HubFolder(id, client, backoff), rangeBytes);
            new FetchedFolder(fetch, lengths, (name, part) -> verify(Objects.requireNonNull(files.get(name)), part))
                    .write(target);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to download model %s from %s; what is here already is kept".formatted(id, access), e);
        }
    }

    /** The files that make up a model. */
    private List<HubFile> parts(List<HubFile> files) {
        List<HubFile> parts =
                files.stream().filter(file -> ModelCopy.isPart(file.name())).toList();
        boolean weights = parts.stream().anyMatch(file -> file.name().endsWith(".safetensors"));
        if (!weights) {
            throw new InvalidWeightsException("Cannot open model %s: expected .safetensors files, found %s"
                    .formatted(id, files.stream().map(HubFile::name).toList()));
        }

        return parts;
    }

    private HubListingJson listing() throws IOException {
        return backoff.run(() -> client.list(id));
    }

    private void verify(HubFile file, Path part) throws IOException {
        MessageDigest digest = digest(file);
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(part)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }

        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(file.checksum().hex())) {
            throw new DamagedFileException("Failed to download %s of %s: expected bytes of checksum %s, found %s"
                    .formatted(file.name(), id, file.checksum().hex(), found));
        }
    }

    private static MessageDigest digest(HubFile file) {
        if (file.checksum() instanceof HubFile.Sha256Sum) {
            return digest("SHA-256");
        }

        MessageDigest git = digest("SHA-1");
        git.update(String.format(Locale.ROOT, "blob %d\0", file.size()).getBytes(StandardCharsets.UTF_8));
        return git;
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot hash: this Java has no " + algorithm, e);
        }
    }

    private static String hash(String text) {
        return HexFormat.of().formatHex(digest("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
    }
}
