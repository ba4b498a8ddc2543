package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.StoreFolder;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.weights.gguf.GgufFolder;

/**
 * The source of a model: a folder in Hugging Face layout or a .gguf file, on this host or on any Hadoop file system, or a
 * model on a hub. A value that crosses to executors.
 *
 * @param address an absolute path of this host, or a URI
 * @param settings of Hadoop's file systems, beside what their own files on a host say; may hold secrets
 * @param hub how a hub is reached; null for what lies elsewhere
 */
public record ModelPlace(
        String address,
        Map<String, String> settings,
        @Nullable HubAccess hub) implements Serializable {
    private static final String SCHEME = "://";
    private static final String GGUF = ".gguf";

    /** A place that is on no hub. */
    public ModelPlace(String address, Map<String, String> settings) {
        this(address, settings, null);
    }

    /** A model on a hub, at the commit that its revision stands for now. */
    public static ModelPlace onHub(HubId id, HubAccess hub, ModelCache cache) {
        return new ModelPlace(new HubModel(id, hub, cache.folder()).pinned().address(), Map.of(), hub);
    }

    public ModelPlace {
        settings = new TreeMap<>(settings);
    }

    /** The model's folder on this host; under {@code cache}, written now, if it must be copied or converted. */
    public java.nio.file.Path folder(ModelCache cache) {
        java.nio.file.Path here = isLocal() ? java.nio.file.Path.of(address) : copy(cache);
        return GgufFolder.isGguf(here) ? GgufFolder.cached(here, cache.folder()) : here;
    }

    /** Where ranges of the weights can be read; empty for what is on this host, or has to be copied or converted first. */
    public Optional<RangedModel> ranges() {
        if (isLocal() || address.endsWith(GGUF)) {
            return Optional.empty();
        }

        HubId id = HubId.ofAddress(address).orElse(null);
        if (id != null && hub != null) {
            return hub.network() == HubAccess.Network.OFFLINE
                    ? Optional.empty()
                    : Optional.of(new RangedModel(new HubFolder(id, hub), id.address()));
        }

        Path source = new Path(address);
        try {
            FileSystem files = StorePath.files(source, configuration());
            return Optional.of(new RangedModel(new StoreFolder(files, source), ModelCopy.identity(files, source)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read model " + source, e);
        }
    }

    /** Whether what a host opens is a copy of its own. */
    public boolean isCopied() {
        return !isLocal() || GgufFolder.isGguf(java.nio.file.Path.of(address));
    }

    /** Why this host could not open the model, found out in no time; nothing when it seems that it can. */
    public Optional<String> problem() {
        return !isLocal() || Files.exists(java.nio.file.Path.of(address))
                ? Optional.empty()
                : Optional.of(
                        "Cannot open model %s: expected it at this path on every executor, found none. Or name one on a Hadoop file system"
                                .formatted(address));
    }

    /** Without the settings. */
    @Override
    public String toString() {
        return address;
    }

    private boolean isLocal() {
        return !address.contains(SCHEME);
    }

    private java.nio.file.Path copy(ModelCache cache) {
        HubId id = HubId.ofAddress(address).orElse(null);
        if (id != null && hub != null) {
            return new HubModel(id, hub, cache.folder()).folder();
        }

        Path source = new Path(address);
        try {
            return ModelCopy.of(StorePath.files(source, configuration()), source, cache.folder());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + source, e);
        }
    }

    private Configuration configuration() {
        Configuration configuration = new Configuration();
        settings.forEach(configuration::set);
        return configuration;
    }
}
