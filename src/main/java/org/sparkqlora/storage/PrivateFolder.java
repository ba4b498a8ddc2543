package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** A folder that only the user of this process can have put files into: a link, another owner or a mode that lets others write is refused. */
final class PrivateFolder {
    private static final String READ_ONLY = "Read-only file system";

    private static final Set<PosixFilePermission> OWNER_ALONE = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OTHERS_WRITE =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    private PrivateFolder() {}

    /** The folder, made now with mode 0700 if it is not there. */
    static Path open(Path folder) {
        try {
            Path parent = folder.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }

            if (!hasOwners()) {
                return Files.createDirectories(folder);
            }

            create(folder);
            requireOurs(folder);
            return folder;
        } catch (IOException e) {
            throw failed(folder, e);
        }
    }

    /** A disk that is full may have room later. */
    static RuntimeException failed(Path folder, IOException e) {
        if (e instanceof AccessDeniedException) {
            return refused(folder, "no permission to write " + e.getMessage(), e);
        }

        return String.valueOf(e.getMessage()).contains(READ_ONLY)
                ? refused(folder, e.getMessage(), e)
                : new UncheckedIOException("Failed to make the folder " + folder, e);
    }

    private static boolean hasOwners() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    }

    private static void create(Path folder) throws IOException {
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_ALONE));
        } catch (FileAlreadyExistsException e) {
            // may be ours of an earlier run: whether it is shows next
        }
    }

    private static void requireOurs(Path folder) throws IOException {
        PosixFileAttributes found = Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!found.isDirectory()) {
            throw refused(folder, found.isSymbolicLink() ? "a symbolic link" : "a file");
        }

        if (found.permissions().stream().anyMatch(OTHERS_WRITE::contains)) {
            throw refused(folder, "mode " + PosixFilePermissions.toString(found.permissions()));
        }

        if (!Files.isWritable(folder)) {
            throw refused(folder, "one of %s that this process cannot write".formatted(found.owner()));
        }

        UserPrincipal user = userOf(folder);
        if (!found.owner().equals(user)) {
            throw refused(folder, "one of %s, while this process is %s".formatted(found.owner(), user));
        }
    }

    /** Who makes files here: what a name or an environment says of the user need not be so. */
    private static UserPrincipal userOf(Path folder) throws IOException {
        Path probe = Files.createTempFile(folder, ".owner-", "");
        try {
            return Files.getOwner(probe, LinkOption.NOFOLLOW_LINKS);
        } finally {
            LocalFiles.remove(probe);
        }
    }

    private static BadInputException refused(Path folder, String found) {
        return refused(folder, found, null);
    }

    private static BadInputException refused(Path folder, @Nullable String found, @Nullable IOException cause) {
        return new BadInputException(
                "Cannot keep files in %s: expected a folder of this user that nobody else can write, found %s. Set XDG_CACHE_HOME to a folder of this user's own (for copies of models, --model-cache), or have it removed."
                        .formatted(folder, found),
                cause);
    }
}
