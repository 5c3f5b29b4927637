import { Dialog } from "@/ui/Dialog";
import { SignInForm } from "./SignInForm";

/** Over the page that somebody was on when their session ended. */
export function SignInAgain({ email, onDone }: { email?: string; onDone: () => void }) {
  return (
    <Dialog
      open
      title="Your session ended"
      about="Sign in again to go on where you are. What you wrote on this page is still there."
    >
      <SignInForm email={email} onDone={onDone} />
    </Dialog>
  );
}
