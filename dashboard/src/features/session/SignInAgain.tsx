import { Button, buttonClass } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { SignInForm } from "./SignInForm";

interface SignInAgainProps {
  session?: { email: string; provider?: string | null };
  onDone: () => void;
}

/** Over the page that somebody was on when their session ended. */
export function SignInAgain({ session, onDone }: SignInAgainProps) {
  return (
    <Dialog
      open
      title="Your session ended"
      about="Sign in again to go on where you are. What you wrote on this page is still there."
    >
      {session?.provider ? (
        <div className="flex justify-end gap-2">
          {/* In another tab: this page would be gone with what was written in it. */}
          <a
            href={`/session/oidc/${session.provider}`}
            target="_blank"
            rel="noreferrer"
            className={buttonClass()}
          >
            Sign in, in another tab
          </a>
          <Button kind="primary" onClick={onDone}>
            I am signed in
          </Button>
        </div>
      ) : (
        <SignInForm email={session?.email} onDone={onDone} />
      )}
    </Dialog>
  );
}
